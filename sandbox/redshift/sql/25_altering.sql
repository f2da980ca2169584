-- ALTER TABLE … ALTER COLUMN … TYPE changes the size of a VARCHAR or VARBYTE, nothing else (Developer Guide, ALTER TABLE).

CREATE OR REPLACE FUNCTION pg_catalog.redshift_check_resize(relation regclass, name text, wanted text) RETURNS void
LANGUAGE plpgsql AS
$$ DECLARE
  found pg_attribute := (SELECT a FROM pg_attribute a
    WHERE attrelid = relation AND attname = name AND attnum > 0 AND NOT attisdropped);
  encoding text := redshift_declared(relation)->'encode'->>found.attnum::text;
  size integer := substring(wanted FROM '\d+')::integer;
BEGIN
  IF found.attname IS NULL THEN
    RAISE EXCEPTION 'column "%" of relation "%" does not exist', name, relation USING ERRCODE = '42703';
  ELSIF found.atttypid NOT IN ('varchar'::regtype, 'bytea'::regtype)
      OR wanted !~ (CASE found.atttypid WHEN 'bytea'::regtype THEN '^bytea' ELSE '^varchar' END) THEN
    RAISE EXCEPTION 'ALTER COLUMN TYPE changes the size of a VARCHAR or VARBYTE column only, column "%" is %', name,
      format_type(found.atttypid, found.atttypmod) USING ERRCODE = '0A000';
  ELSIF encoding IN ('bytedict', 'runlength', 'text255', 'text32k') THEN
    RAISE EXCEPTION 'cannot alter column "%" with encoding %', name, upper(encoding) USING ERRCODE = '0A000';
  ELSIF EXISTS (SELECT FROM jsonb_array_elements(redshift_declared(relation)->'constraints') c
      WHERE c->'columns' @> to_jsonb(found.attnum::integer)) THEN
    RAISE EXCEPTION 'cannot alter column "%" with a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint', name USING ERRCODE = '0A000';
  ELSIF found.atttypid = 'varchar'::regtype AND found.atthasdef AND size < found.atttypmod - 4 THEN
    RAISE EXCEPTION 'cannot decrease a VARCHAR column size with default value' USING ERRCODE = '0A000';
  END IF;
END $$;
