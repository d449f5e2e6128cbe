-- The change log's trigger, for every recorded table (huimin.database.security hangs it on, SEC-05).
--
-- What a record holds: for an added row the digest of its content (the row itself is the content), for a changed row
-- the old and new values of the columns that changed, for a removed row all of it. Encrypted columns are left out.
-- The digest's form is that of security.row_digest. The settings pinned here (security.PINNED) decide how times and
-- bytes are written, and with them the digest: a session must not.

CREATE OR REPLACE FUNCTION audit_without_nulls(content jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $body$
    SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') FROM jsonb_each(content) e WHERE e.value <> 'null'
$body$;

CREATE OR REPLACE FUNCTION audit_record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'postgres' SET bytea_output = 'hex'
SET extra_float_digits = 1 SET enable_nestloop = off SET enable_mergejoin = off AS $body$
DECLARE
    key text := TG_ARGV[0];
    place text := TG_ARGV[1];
    sealed text[] := coalesce(string_to_array(nullif(TG_ARGV[2], ''), ','), '{}');
    nested boolean := TG_ARGV[3] = 'nested';
    actor bigint := nullif(current_setting('app.appointment', true), '')::bigint;
    request text := coalesce(current_setting('app.request', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit_change (table_name, row_key, operation, division, appointment, request, before, after, digest)
        SELECT TG_TABLE_NAME, j ->> key, 'I', j ->> place, actor, request, NULL, NULL, sha256(convert_to(
                   (CASE WHEN nested THEN audit_without_nulls(j) ELSE jsonb_strip_nulls(j) END)::text, 'UTF8'))
        FROM (SELECT to_jsonb(n) - sealed AS j FROM new_rows n) AS rows;
    ELSIF TG_OP = 'UPDATE' THEN
        -- Each row's JSON is made once, and the two sides meet by hash: a nested loop here is quadratic in the statement.
        WITH changed_from AS MATERIALIZED (SELECT r.j ->> key AS id, r.j FROM (SELECT to_jsonb(t) - sealed FROM old_rows t) r(j)),
             changed_to AS MATERIALIZED (SELECT r.j ->> key AS id, r.j FROM (SELECT to_jsonb(t) - sealed FROM new_rows t) r(j))
        INSERT INTO audit_change (table_name, row_key, operation, division, appointment, request, before, after, digest)
        SELECT TG_TABLE_NAME, n.j ->> key, 'U', n.j ->> place, actor, request,
               (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(o.j) e WHERE n.j -> e.key IS DISTINCT FROM e.value),
               (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(n.j) e WHERE o.j -> e.key IS DISTINCT FROM e.value),
               sha256(convert_to(
                   (CASE WHEN nested THEN audit_without_nulls(n.j) ELSE jsonb_strip_nulls(n.j) END)::text, 'UTF8'))
        FROM changed_to AS n JOIN changed_from AS o USING (id)
        WHERE o.j <> n.j;
    ELSE
        INSERT INTO audit_change (table_name, row_key, operation, division, appointment, request, before, after, digest)
        SELECT TG_TABLE_NAME, j ->> key, 'D', j ->> place, actor, request, j, NULL, sha256(convert_to(
                   (CASE WHEN nested THEN audit_without_nulls(j) ELSE jsonb_strip_nulls(j) END)::text, 'UTF8'))
        FROM (SELECT to_jsonb(o) - sealed AS j FROM old_rows o) AS rows;
    END IF;
    RETURN NULL;
END
$body$;

-- Whoever may execute a trigger function may hang it on a temporary table of his own and forge records.
REVOKE ALL ON FUNCTION audit_record_change(), audit_without_nulls(jsonb) FROM PUBLIC;
