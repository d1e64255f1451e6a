from django.db import migrations

from portal.search.following import forget, follow

ROWS = """
CREATE FUNCTION search_rows_inquiry(keys text[]) RETURNS SETOF search_row LANGUAGE sql STABLE AS $$
    SELECT i.id::text, p.team_id, p.id, c.id, i.asked_by_id, i.asked_at, '', '', i.question
    FROM inquiries_inquiry i
    JOIN participants_participant p ON p.id = i.participant_id
    LEFT JOIN conversations_conversation c ON c.id = i.conversation_id
    LEFT JOIN participants_consent k ON k.id = c.consent_id
    WHERE i.id = ANY(keys::bigint[]) AND k.withdrawn_at IS NULL
$$;
"""

FILE_WHAT_IS_THERE = """
SELECT search_put('inquiry', (SELECT array_agg(id::text) FROM inquiries_inquiry));
"""


class Migration(migrations.Migration):
    dependencies = [("search", "0003_outside_index"), ("inquiries", "0001_initial")]

    operations = [
        migrations.RunSQL(ROWS, "DROP FUNCTION search_rows_inquiry"),
        migrations.RunSQL(
            follow("inquiries_inquiry", "inquiry", ["question"]), forget("inquiries_inquiry")
        ),
        migrations.RunSQL(FILE_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
