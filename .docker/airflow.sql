-- Run once, when the database is made: Airflow's own database beside the register.
CREATE DATABASE airflow;
