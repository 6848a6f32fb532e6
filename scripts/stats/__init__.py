"""Statistics of counts, means and covariances: no mart is known here."""
