"""The chatbots: seven kinds that differ in a table, with one set of rules."""
