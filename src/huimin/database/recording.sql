-- The change log's trigger, for every recorded table (huimin.database.security hangs it on, SEC-05).
--
-- What a record holds: for an added row the digest of its content (the row itself is the content), for a changed row
-- the old and new values of the columns that changed, for a removed row all of it. Encrypted columns are left out.
-- The digest is an expression over the columns of row r that security.row_digest writes for each table, so that no row
-- is turned into JSON only to be digested: that was most of what a load cost. The settings pinned here
-- (security.PINNED) decide how times and bytes are written, and with them the digest: a session must not.
--
-- Arguments: the key's column, the place's column or '', the columns left out (comma-separated), the digest.

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
        -- Each row's JSON is made once, and the two sides meet by hash: a nested loop here is quadratic in the statement.
        EXECUTE format($update$
            WITH changed_from AS MATERIALIZED (SELECT %2$s AS id, to_jsonb(r) - $4 AS j FROM old_rows r),
                 changed_to AS MATERIALIZED (
                     SELECT %2$s AS id, %3$s AS place, to_jsonb(r) - $4 AS j, %4$s AS digest FROM new_rows r)
            %1$s SELECT $1, n.id, 'U', n.place, $2, $3,
                (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(o.j) e WHERE n.j -> e.key IS DISTINCT FROM e.value),
                (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(n.j) e WHERE o.j -> e.key IS DISTINCT FROM e.value),
                n.digest
            FROM changed_to AS n JOIN changed_from AS o USING (id)
            WHERE o.j <> n.j $update$, target, key, place, digest)
        USING TG_TABLE_NAME, actor, request, sealed;
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
