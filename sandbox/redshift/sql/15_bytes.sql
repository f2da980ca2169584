-- VARCHAR(n) counts bytes. Postgres brings every value that is assigned or cast to its length through the function that
-- pg_cast names; here it is one that counts bytes. COPY goes another way, where the front counts.

CREATE OR REPLACE FUNCTION pg_catalog.redshift_shorten(value varchar, bytes integer, explicit boolean) RETURNS varchar
LANGUAGE plpgsql IMMUTABLE AS
$$ DECLARE
  kept text := value;
BEGIN
  WHILE octet_length(kept) > bytes LOOP
    kept := left(kept, least(char_length(kept) - 1, bytes));
  END LOOP;
  -- Blanks at the end are cut off without a word, as the SQL standard has it.
  IF NOT explicit AND rtrim(substr(value, char_length(kept) + 1), ' ') <> '' THEN
    RAISE EXCEPTION 'value too long for type character varying(%)', bytes USING ERRCODE = '22001';
  END IF;
  RETURN kept;
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_varchar(value varchar, modifier integer, explicit boolean) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE SUPPORT pg_catalog.varchar_support AS
$$ SELECT CASE WHEN modifier >= 4 AND octet_length(value) > modifier - 4
     THEN redshift_shorten(value, modifier - 4, explicit) ELSE value END $$;

UPDATE pg_cast SET castfunc = 'pg_catalog.redshift_varchar(varchar, integer, boolean)'::regprocedure
WHERE castsource = 'varchar'::regtype AND casttarget = 'varchar'::regtype;
