using Stoa.Tests.Assistants.Chaos;
using Stoa.Tests.Assistants.Documents;
using Stoa.Tests.Assistants.Events;
using Stoa.Tests.Assistants.Work;
using Stoa.Tests.Authorization;
using Stoa.Tests.Crash;
using Stoa.Tests.Feedback;
using Stoa.Tests.Feedback.HuggingFace;
using Stoa.Tests.Gateway.Batches;
using Stoa.Tests.Gateway.Delivery;
using Stoa.Tests.Gateway.Providers;
using Stoa.Tests.Gateway.Runs;
using Stoa.Tests.Gateway.Usage;
using Stoa.Tests.Host;
using Stoa.Tests.Jobs;
using Stoa.Tests.Journeys;
using Stoa.Tests.Learning.Generation;
using Stoa.Tests.Loop;
using Stoa.Tests.Platform.Data;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Stoa.Tests.Support.LongestFirst))]

namespace Stoa.Tests.Support;

/// <summary>Classes that take long begin first, so that none of them runs alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        .. ((Type[])
        [
            // Those that mostly wait are in between: they leave the processors to the others.
            typeof(JourneyTests), typeof(LoopCrashTests), typeof(GenerationCrashTests),
            typeof(FoundOutTests), typeof(AuthorizationMatrixTests),
            typeof(BatchCrashTests), typeof(ChaosTests), typeof(RunFaultTests),
            typeof(FallbackTests), typeof(ProcessTests), typeof(WorkFailuresTests), typeof(WorkTests),
            typeof(QueueCrashTests), typeof(AssistantsChaosTests), typeof(CrashTests),
            typeof(HuggingFaceTests), typeof(ResponsesFallbackTests),
            typeof(UsageLoaderTests), typeof(LeaseTests), typeof(MailCrashTests), typeof(TermsTests), typeof(JobEventsTests),
            typeof(EventRoutesTests), typeof(ResourceTests), typeof(BrokerTests), typeof(BotCrashTests), typeof(PrivateClusterTests),
        ])
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
