"""The domains: one readable file each, with a seeded world, tools, a policy and tasks."""
