"""What people see while a run goes on, in three layers: state, renderable, shell."""
