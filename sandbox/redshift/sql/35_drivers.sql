-- What drivers ask the catalog for: Redshift's JDBC and Python drivers about procedures and columns of late-binding views,
-- SQLAlchemy's dialect about the styles of tables.

CREATE OR REPLACE VIEW pg_catalog.pg_proc_info AS SELECT oid AS prooid, * FROM pg_proc;
GRANT SELECT ON pg_catalog.pg_proc_info TO PUBLIC;

-- Here they are views like others, whose columns are in the catalog.
CREATE OR REPLACE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF record LANGUAGE plpgsql STABLE AS
$$ BEGIN RETURN; END $$;

-- Encodings by their places in a list; Redshift's numbers for them are not published.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_encodings() RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT ARRAY['none', 'az64', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength', 'text255',
     'text32k', 'zstd'] $$;
CREATE OR REPLACE FUNCTION pg_catalog.format_encoding(place integer) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT (redshift_encodings())[place] $$;
CREATE OR REPLACE VIEW pg_catalog.redshift_attrdef AS
SELECT *, pg_get_expr(adbin, adrelid) AS adsrc FROM pg_attrdef;
GRANT SELECT ON pg_catalog.redshift_attrdef TO PUBLIC;
