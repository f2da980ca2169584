-- Functions of texts take numbers and days, too: Redshift converts them without being told to (Developer Guide, "Type
-- compatibility and conversion").

DO $$ DECLARE
  taken text;
  made text[];
BEGIN
  FOREACH taken IN ARRAY ARRAY['numeric', 'date', 'timestamp'] LOOP
    FOREACH made SLICE 1 IN ARRAY ARRAY[
      ['len', '', 'integer'], ['length', '', 'integer'], ['char_length', '', 'integer'], ['character_length', '', 'integer'],
      ['upper', '', 'text'], ['lower', '', 'text'], ['reverse', '', 'text'], ['md5', '', 'text'],
      ['btrim', '', 'text'], ['ltrim', '', 'text'], ['rtrim', '', 'text'], ['btrim', ', text', 'text'], ['ltrim', ', text', 'text'],
      ['rtrim', ', text', 'text'], ['left', ', integer', 'text'], ['right', ', integer', 'text'],
      ['lpad', ', integer', 'text'], ['rpad', ', integer', 'text'], ['lpad', ', integer, text', 'text'], ['rpad', ', integer, text', 'text'],
      ['substr', ', integer', 'text'], ['substring', ', integer', 'text'], ['substr', ', integer, integer', 'text'],
      ['substring', ', integer, integer', 'text'], ['replace', ', text, text', 'text'], ['split_part', ', text, integer', 'text'],
      ['strpos', ', text', 'integer']] LOOP
      EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.%I(%s%s) RETURNS %s LANGUAGE sql STABLE STRICT AS $f$ SELECT %I($1::text%s) $f$',
        made[1], taken, made[2], made[3], made[1],
        (SELECT coalesce(string_agg(format(', $%s', place), ''), '')
         FROM generate_series(2, 1 + length(made[2]) - length(replace(made[2], ',', ''))) AS g(place)));
    END LOOP;
  END LOOP;
END $$;
