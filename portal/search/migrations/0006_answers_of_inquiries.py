"""What "Saber más" answered is found as well, not only what was asked."""

from django.db import migrations

from portal.search.following import forget

# Of several conversations' answers those whose consent stands.
ROWS = """
CREATE OR REPLACE FUNCTION search_rows_inquiry(keys text[]) RETURNS SETOF search_row
LANGUAGE sql STABLE AS $$
    SELECT i.id::text, p.team_id, p.id, c.id, i.asked_by_id, i.asked_at, '', '',
        i.question || coalesce((
            SELECT string_agg(' ' || r.answer, '' ORDER BY r.position, r.id)
            FROM inquiries_reply r
            JOIN conversations_conversation rc ON rc.id = r.conversation_id
            JOIN participants_consent rk ON rk.id = rc.consent_id
            WHERE r.inquiry_id = i.id AND rk.withdrawn_at IS NULL
        ), '')
    FROM inquiries_inquiry i
    JOIN participants_participant p ON p.id = i.participant_id
    LEFT JOIN conversations_conversation c ON c.id = i.conversation_id
    LEFT JOIN participants_consent k ON k.id = c.consent_id
    WHERE i.id = ANY(keys::bigint[]) AND k.withdrawn_at IS NULL
$$;
"""

ROWS_BEFORE = """
CREATE OR REPLACE FUNCTION search_rows_inquiry(keys text[]) RETURNS SETOF search_row
LANGUAGE sql STABLE AS $$
    SELECT i.id::text, p.team_id, p.id, c.id, i.asked_by_id, i.asked_at, '', '', i.question
    FROM inquiries_inquiry i
    JOIN participants_participant p ON p.id = i.participant_id
    LEFT JOIN conversations_conversation c ON c.id = i.conversation_id
    LEFT JOIN participants_consent k ON k.id = c.consent_id
    WHERE i.id = ANY(keys::bigint[]) AND k.withdrawn_at IS NULL
$$;
"""

FOLLOW = """
-- Locked before they are filed, as a rebuilding does: who reads later files later.
CREATE FUNCTION search_put_inquiries(keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM inquiries_inquiry WHERE id = ANY(keys) ORDER BY id FOR NO KEY UPDATE;
    PERFORM search_put('inquiry', keys::text[]);
END $$;

CREATE FUNCTION search_follow_replies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM search_put_inquiries((SELECT array_agg(DISTINCT inquiry_id) FROM fresh));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM search_put_inquiries((SELECT array_agg(DISTINCT inquiry_id) FROM stale));
    ELSE
        PERFORM search_put_inquiries((
            SELECT array_agg(DISTINCT inquiry_id)
            FROM (SELECT inquiry_id FROM fresh UNION SELECT inquiry_id FROM stale) AS changed
        ));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER search_insert AFTER INSERT ON inquiries_reply
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION search_follow_replies();
CREATE TRIGGER search_update AFTER UPDATE ON inquiries_reply
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION search_follow_replies();
CREATE TRIGGER search_delete AFTER DELETE ON inquiries_reply
    REFERENCING OLD TABLE AS stale
    FOR EACH STATEMENT EXECUTE FUNCTION search_follow_replies();

-- What was asked of all of somebody's conversations stays, without what this consent's answered.
CREATE FUNCTION search_follow_consent_of_replies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_put_inquiries((
        SELECT array_agg(DISTINCT r.inquiry_id) FROM inquiries_reply r
        JOIN conversations_conversation c ON c.id = r.conversation_id
        JOIN fresh f ON f.id = c.consent_id
        WHERE f.withdrawn_at IS NOT NULL
    ));
    RETURN NULL;
END $$;
CREATE TRIGGER search_follow_consent_of_replies AFTER UPDATE ON participants_consent
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION search_follow_consent_of_replies();
"""

UNFOLLOW = f"""
{forget("inquiries_reply")}
DROP TRIGGER search_follow_consent_of_replies ON participants_consent;
DROP FUNCTION search_follow_consent_of_replies, search_follow_replies, search_put_inquiries;
"""

FILE_WHAT_IS_THERE = """
SELECT search_put('inquiry', (SELECT array_agg(DISTINCT inquiry_id::text) FROM inquiries_reply));
"""


class Migration(migrations.Migration):
    dependencies = [("search", "0005_meaning"), ("inquiries", "0002_unfinished")]

    operations = [
        migrations.RunSQL(ROWS, ROWS_BEFORE),
        migrations.RunSQL(FOLLOW, UNFOLLOW),
        migrations.RunSQL(FILE_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
