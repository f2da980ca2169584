-- Redshift has no text without a limit: where a query makes one, as in CREATE TABLE AS, it is VARCHAR(65535) there. Text
-- and varchar look the same on disk, so the column's entry alone is changed.

CREATE OR REPLACE FUNCTION pg_catalog.redshift_limit_texts(made regclass) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET allow_system_table_mods = on SET search_path = pg_catalog AS
$$ BEGIN
  IF NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = made), 'usage') THEN
    RAISE EXCEPTION 'must be owner of table %', made USING ERRCODE = '42501';
  END IF;
  UPDATE pg_attribute SET atttypid = 'varchar'::regtype, atttypmod = 65535 + 4
  WHERE attrelid = made AND attnum > 0 AND NOT attisdropped AND atttypid = 'text'::regtype;
END $$;
