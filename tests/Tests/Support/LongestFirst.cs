using Stoa.Tests.Jobs;
using Stoa.Tests.Journeys;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Stoa.Tests.Support.LongestFirst))]

namespace Stoa.Tests.Support;

/// <summary>Classes that take long begin first, so that none of them runs alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        .. ((Type[])[typeof(ChaosTests), typeof(JourneyTests), typeof(FoundOutTests), typeof(TermsTests)])
            .Select(type => $"{type.FullName} "),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(Place).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];

    // A class without a collection of its own is one: "Test collection for Stoa.Tests.Jobs.ChaosTests (id: …)".
    private static int Place<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection
    {
        var place = Array.FindIndex(Longest, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal));
        return place < 0 ? Longest.Length : place;
    }
}
