using System.Reflection;

namespace Stoa.Tests;

public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Stoa.Platform"] = [],
        ["Stoa.Gateway"] = ["Stoa.Platform"],
        ["Stoa.Feedback"] = ["Stoa.Platform", "Stoa.Gateway"],
        ["Stoa.Learning"] = ["Stoa.Platform", "Stoa.Gateway"],
        ["Stoa.Assistants"] = ["Stoa.Platform", "Stoa.Gateway"],
    };

    [Fact]
    public void A_module_references_only_what_it_may() =>
        Assert.All(Allowed, rule => Assert.Subset(
            rule.Value.ToHashSet(StringComparer.Ordinal),
            Assembly.Load(rule.Key).GetReferencedAssemblies()
                .Select(name => name.Name!)
                .Where(name => name.StartsWith("Stoa.", StringComparison.Ordinal))
                .ToHashSet(StringComparer.Ordinal)));
}
