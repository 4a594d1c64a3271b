namespace Stoa.Bench.Scenarios;

/// <summary>A benchmark that <c>bin/bench</c> can name: it prints its figures and says whether all kept their bounds.</summary>
internal abstract class Scenario
{
    internal static IReadOnlyList<Scenario> All { get; } =
    [
        new GatewayScenario(), new AgentRunScenario(), new GatewayMemoryScenario(),
        new StartScenario(), new SecretsScenario(), new RigScenario(),
        new JobsScenario(), new JobsChaosScenario(), new MetricsScenario(),
        new FeedbackScenario(), new LearningScenario(), new DocumentsScenario(),
        new DocumentsSearchScenario(),
    ];

    internal abstract string Name { get; }

    internal abstract string Purpose { get; }

    internal async Task<bool> PlayAsync(Arguments arguments)
    {
        var ok = true;
        await foreach (var figure in MeasureAsync(arguments))
        {
            await Console.Out.WriteLineAsync(figure.ToJson());
            ok &= figure.Ok;
        }
        return ok;
    }

    internal abstract IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments);

    protected static Task NoteAsync(string text) => Console.Error.WriteLineAsync(text);
}
