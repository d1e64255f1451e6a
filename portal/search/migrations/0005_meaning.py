import django.db.models.deletion
from django.db import migrations, models

from portal.search import meaning

# Django would look for what hangs on an entry each time that it deletes one; the database does.
HANGS_ON = """
ALTER TABLE search_meaning ADD CONSTRAINT search_meaning_of_entry
    FOREIGN KEY (entry_id) REFERENCES search_entry (id) ON DELETE CASCADE;
"""

# Whatever files a turn or changes its words writes down here that it is to be read, in its transaction;
# what it meant before is gone with it. The same words leave it as it is.
FOLLOW = """
CREATE FUNCTION search_unread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO search_meaning (entry_id) SELECT id FROM fresh WHERE kind = 'turn';
    ELSE
        DELETE FROM search_meaning m USING fresh f JOIN stale s USING (id)
        WHERE m.entry_id = f.id AND f.vector IS DISTINCT FROM s.vector;
        INSERT INTO search_meaning (entry_id) SELECT f.id FROM fresh f JOIN stale s USING (id)
        WHERE f.kind = 'turn' AND f.vector IS DISTINCT FROM s.vector;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER search_unread_insert AFTER INSERT ON search_entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION search_unread();
CREATE TRIGGER search_unread_update AFTER UPDATE ON search_entry
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION search_unread();
"""

UNFOLLOW = """
DROP TRIGGER search_unread_insert ON search_entry;
DROP TRIGGER search_unread_update ON search_entry;
DROP FUNCTION search_unread;
"""


class Migration(migrations.Migration):
    dependencies = [("search", "0004_inquiries")]

    operations = [
        migrations.CreateModel(
            name="Meaning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="search.entry")),
            ],
        ),
        migrations.RunSQL(HANGS_ON, migrations.RunSQL.noop),
        migrations.RunSQL(FOLLOW, UNFOLLOW),
        # Where there can be vectors; where there cannot, `portal up` and `portal reindex` look again.
        migrations.RunPython(lambda apps, editor: meaning.set_up(), migrations.RunPython.noop),
    ]
