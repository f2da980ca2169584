"""Hadoop, Pig and Hive on one machine: the real programs, their jobs run in the process that submits them.

``artifacts.lock`` names every jar with its digest; Maven fetches them; ``home/`` holds their commands (``hadoop``,
``hdfs``, ``hadoop-streaming``, ``yarn``, ``pig``, ``hive``) and their configuration. Nothing else of a cluster is here:
no HDFS (the file system is the local one; ``s3://`` is read and written where the AWS variables point), no nodes of
YARN, no Tez.
"""
