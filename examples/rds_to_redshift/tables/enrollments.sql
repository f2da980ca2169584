-- The state of each person in each course: the newest event of a (user_id, course_id) in the source wins.
CREATE TABLE IF NOT EXISTS learning.enrollments (
  event_id     BIGINT        NOT NULL ENCODE az64,
  user_id      BIGINT        NOT NULL ENCODE az64,
  course_id    INTEGER       NOT NULL ENCODE az64,
  status       VARCHAR(16)   NOT NULL ENCODE bytedict,
  progress     DECIMAL(5,2)           ENCODE az64,
  grade        DECIMAL(8,3)           ENCODE az64,
  is_paid      BOOLEAN                ENCODE zstd,
  note         VARCHAR(4000)          ENCODE zstd,
  enrolled_on  DATE                   ENCODE az64,
  completed_at TIMESTAMP              ENCODE az64,
  updated_at   TIMESTAMP     NOT NULL ENCODE raw,
  PRIMARY KEY (user_id, course_id)
)
DISTSTYLE KEY
DISTKEY (user_id)
SORTKEY (updated_at);
