"""The report that is read on a screen: one file that asks the network for nothing."""
