-- The change log's trigger, for every recorded table (huimin.database.security hangs it on, SEC-05).
--
-- What a record holds: for an added row the digest of its content (the row itself is the content), for a changed row
-- the old and new values of the columns that changed, for a removed row all of it. Encrypted columns are left out.
-- The digest is an expression over the columns of row r that security.row_digest writes for each table, so that no row
-- is turned into JSON only to be digested: that was most of what a load cost. The settings pinned here
-- (security.PINNED) decide how times and bytes are written, and with them the digest: a session must not.
--
-- Nor is one to find what a statement changed: the expressions of security.changed_columns compare column by column and
-- write JSON of those that differ.
--
-- Arguments: the key's column, the place's column or '', the columns left out (comma-separated), the digest; whether
-- rows o (before) and r (after) differ, and what differs as JSON text, before and after.

CREATE OR REPLACE FUNCTION audit_record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'postgres' SET bytea_output = 'hex'
SET extra_float_digits = 1 SET enable_nestloop = off SET enable_mergejoin = off AS $body$
DECLARE
    key text := format('r.%I::text', TG_ARGV[0]);
    place text := CASE WHEN TG_ARGV[1] = '' THEN 'NULL' ELSE format('r.%I::text', TG_ARGV[1]) END;
    sealed text[] := coalesce(string_to_array(nullif(TG_ARGV[2], ''), ','), '{}');
    digest text := TG_ARGV[3];
    actor bigint := nullif(current_setting('app.appointment', true), '')::bigint;
    request text := coalesce(current_setting('app.request', true), '');
    target CONSTANT text := 'INSERT INTO audit_change'
        ' (table_name, row_key, operation, division, appointment, request, before, after, digest) ';
BEGIN
    IF TG_OP = 'INSERT' THEN
        EXECUTE format('%s SELECT $1, %s, ''I'', %s, $2, $3, NULL, NULL, %s FROM new_rows r', target, key, place, digest)
        USING TG_TABLE_NAME, actor, request;
    ELSIF TG_OP = 'UPDATE' THEN
        -- The two sides meet by hash: a nested loop here is quadratic in the statement.
        EXECUTE format(
            '%1$s SELECT $1, %2$s, ''U'', %3$s, $2, $3, (%4$s)::jsonb, (%5$s)::jsonb, %6$s'
            ' FROM new_rows r JOIN old_rows o ON o.%7$I = r.%7$I WHERE %8$s',
            target, key, place, TG_ARGV[5], TG_ARGV[6], digest, TG_ARGV[0], TG_ARGV[4])
        USING TG_TABLE_NAME, actor, request;
    ELSE
        EXECUTE format('%s SELECT $1, %s, ''D'', %s, $2, $3, to_jsonb(r) - $4, NULL, %s FROM old_rows r',
                       target, key, place, digest)
        USING TG_TABLE_NAME, actor, request, sealed;
    END IF;
    RETURN NULL;
END
$body$;

-- Whoever may execute a trigger function may hang it on a temporary table of his own and forge records.
REVOKE ALL ON FUNCTION audit_record_change() FROM PUBLIC;
