"""Words and triggers: what is written in other tables can be found when its transaction ends.

Bodies of functions are text to PostgreSQL, so that the tables they read can still be changed;
for the same reason no trigger names a column.
"""

from django.db import migrations

from portal.search.following import forget, follow

# Three readings of each text (docs/decisions/search.md): stems of Spanish words; stems of words
# without accents; the words themselves, for phrases and for the beginning of a word.
CONFIGURATIONS = """
CREATE TEXT SEARCH CONFIGURATION es_unaccent (COPY = spanish);
ALTER TEXT SEARCH CONFIGURATION es_unaccent
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, spanish_stem;
CREATE TEXT SEARCH CONFIGURATION es_plain (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION es_plain
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;
"""

DROP_CONFIGURATIONS = """
DROP TEXT SEARCH CONFIGURATION es_unaccent;
DROP TEXT SEARCH CONFIGURATION es_plain;
"""

FUNCTIONS = r"""
-- Words alone: PostgreSQL's parser would make one of an address or a price.
CREATE FUNCTION search_words(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(normalize(said, NFC), '[-!-,./:-@[-`{-~¡¿«»“”‘’…–—·█]', ' ', 'g')
$$;

CREATE FUNCTION search_vector(said text) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT to_tsvector('spanish', words) || to_tsvector('es_unaccent', words)
        || to_tsvector('es_plain', words)
    FROM search_words(said) AS words
$$;

-- What can be found of each kind: `search_rows_KIND(keys)` gives these columns.
CREATE TYPE search_row AS (
    object_id text, team bigint, participant uuid, conversation uuid, employee bigint,
    at timestamptz, name text, heading text, body text
);

CREATE FUNCTION search_rows_person(keys text[]) RETURNS SETOF search_row LANGUAGE sql STABLE AS $$
    SELECT id::text, team_id, id, NULL::uuid, created_by_id, last_interaction_at,
        lower(unaccent(name)), name,
        email || ' ' || regexp_replace(phone, '\D', '', 'g')
            || ' ' || right(regexp_replace(phone, '\D', '', 'g'), 9)
    FROM participants_participant WHERE id = ANY(keys::uuid[])
$$;

CREATE FUNCTION search_rows_conversation(keys text[]) RETURNS SETOF search_row
LANGUAGE sql STABLE AS $$
    SELECT c.id::text, p.team_id, p.id, c.id, c.created_by_id, c.created_at, '',
        c.title, c.description
    FROM conversations_conversation c
    JOIN participants_participant p ON p.id = c.participant_id
    JOIN participants_consent k ON k.id = c.consent_id
    WHERE c.id = ANY(keys::uuid[]) AND k.withdrawn_at IS NULL
$$;

CREATE FUNCTION search_rows_turn(keys text[]) RETURNS SETOF search_row LANGUAGE sql STABLE AS $$
    SELECT t.id::text, p.team_id, p.id, c.id, c.created_by_id, c.created_at, '', '', t.text
    FROM conversations_turn t
    JOIN conversations_transcript s ON s.id = t.transcript_id
    JOIN conversations_conversation c ON c.id = s.conversation_id
    JOIN participants_participant p ON p.id = c.participant_id
    JOIN participants_consent k ON k.id = c.consent_id
    WHERE t.id = ANY(keys::bigint[]) AND k.withdrawn_at IS NULL
$$;

-- An answer that nobody took from an interview stays when the consent for one ends.
CREATE FUNCTION search_rows_answer(keys text[]) RETURNS SETOF search_row LANGUAGE sql STABLE AS $$
    SELECT a.id::text, p.team_id, p.id, c.id, coalesce(a.edited_by_id, c.created_by_id),
        a.updated_at, '', '', a.value
    FROM assessments_answer a
    JOIN assessments_sheet s ON s.id = a.sheet_id
    JOIN participants_participant p ON p.id = s.participant_id
    LEFT JOIN conversations_conversation c ON c.id = a.conversation_id
    LEFT JOIN participants_consent k ON k.id = c.consent_id
    WHERE a.id = ANY(keys::bigint[]) AND a.value <> '' AND k.withdrawn_at IS NULL
$$;

-- People of those teams whose name has a part like each word, for letters that are wrong.
CREATE FUNCTION search_names_like(words text[], teams bigint[])
RETURNS TABLE (id bigint, nearness real) LANGUAGE plpgsql AS $$
DECLARE plain text[] := (SELECT array_agg(lower(unaccent(word))) FROM unnest(words) word);
BEGIN
    -- Not as a setting of the function: only a superuser may make one before pg_trgm is loaded.
    PERFORM set_config('pg_trgm.word_similarity_threshold', '0.45', true);
    RETURN QUERY SELECT e.id, (SELECT min(word_similarity(word, e.name)) FROM unnest(plain) word)
    FROM search_entry e
    WHERE e.kind = 'person' AND e.team = ANY(teams) AND plain[1] <% e.name
        AND (SELECT bool_and(word <% e.name) FROM unnest(plain) word);
END $$;

-- File the objects of one kind as they are now, and forget those that are not to be found.
CREATE FUNCTION search_put(kind text, keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF keys IS NULL THEN RETURN; END IF;
    EXECUTE format($query$
        WITH fresh AS MATERIALIZED (SELECT * FROM search_rows_%s($1)),
        gone AS (
            DELETE FROM search_entry WHERE kind = %L AND object_id = ANY($1)
            AND object_id NOT IN (SELECT object_id FROM fresh)
        )
        INSERT INTO search_entry
            (kind, object_id, team, participant, conversation, employee, at, name, vector)
        SELECT %L, object_id, team, participant, conversation, employee, at, name,
            setweight(search_vector(heading), 'A') || search_vector(body)
        FROM fresh
        ON CONFLICT (kind, object_id) DO UPDATE SET
            (team, participant, conversation, employee, at, name, vector)
            = ROW(excluded.team, excluded.participant, excluded.conversation, excluded.employee,
                excluded.at, excluded.name, excluded.vector)
    $query$, kind, kind, kind) USING keys;
END $$;

-- For each statement on a table that is followed. Arguments: the kind, then the columns that matter.
CREATE FUNCTION search_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE keys text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM search_entry e USING stale WHERE e.kind = TG_ARGV[0] AND e.object_id = stale.id::text;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM search_put(TG_ARGV[0], (SELECT array_agg(id::text) FROM fresh));
    ELSE
        EXECUTE format(
            'SELECT array_agg(f.id::text) FROM fresh f JOIN stale s USING (id)
             WHERE (%s) IS DISTINCT FROM (%s)',
            (SELECT string_agg('f.' || quote_ident(c), ',') FROM unnest(TG_ARGV[1:]) c),
            (SELECT string_agg('s.' || quote_ident(c), ',') FROM unnest(TG_ARGV[1:]) c)
        ) INTO keys;
        PERFORM search_put(TG_ARGV[0], keys);
    END IF;
    RETURN NULL;
END $$;

-- A person who goes to another team takes everything along.
CREATE FUNCTION search_follow_team() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_entry e SET team = f.team_id FROM fresh f JOIN stale s USING (id)
    WHERE f.team_id <> s.team_id AND e.participant = f.id;
    RETURN NULL;
END $$;

-- Consent that is withdrawn stays withdrawn: what was said under it is found no more.
CREATE FUNCTION search_follow_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_entry WHERE conversation IN (
        SELECT c.id FROM conversations_conversation c JOIN fresh f ON f.id = c.consent_id
        WHERE f.withdrawn_at IS NOT NULL
    );
    RETURN NULL;
END $$;

CREATE TRIGGER search_follow_team AFTER UPDATE ON participants_participant
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION search_follow_team();
CREATE TRIGGER search_follow_consent AFTER UPDATE ON participants_consent
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION search_follow_consent();
"""

DROP_FUNCTIONS = """
DROP TRIGGER search_follow_team ON participants_participant;
DROP TRIGGER search_follow_consent ON participants_consent;
DROP FUNCTION search_follow_team, search_follow_consent, search_follow, search_put,
    search_names_like,
    search_rows_person, search_rows_conversation, search_rows_turn, search_rows_answer,
    search_vector, search_words;
DROP TYPE search_row;
"""

FOLLOWED = {
    "person": ("participants_participant", "name", "email", "phone"),
    "conversation": ("conversations_conversation", "title", "description"),
    "turn": ("conversations_turn", "text"),
    "answer": ("assessments_answer", "value", "conversation_id"),
}

FILE_WHAT_IS_THERE = """
SELECT search_put('person', (SELECT array_agg(id::text) FROM participants_participant));
SELECT search_put('conversation', (SELECT array_agg(id::text) FROM conversations_conversation));
SELECT search_put('turn', (SELECT array_agg(id::text) FROM conversations_turn));
SELECT search_put('answer', (SELECT array_agg(id::text) FROM assessments_answer));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0001_initial"),
        ("participants", "0002_search_extensions"),
        ("conversations", "0005_speakers"),
        ("assessments", "0002_review_and_versions"),
    ]

    operations = [
        migrations.RunSQL(CONFIGURATIONS, DROP_CONFIGURATIONS),
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        *(
            migrations.RunSQL(follow(table, kind, columns), forget(table))
            for kind, (table, *columns) in FOLLOWED.items()
        ),
        migrations.RunSQL(FILE_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
