using Stoa.Bench.Load;

namespace Stoa.Bench.Scenarios;

/// <summary>One case played against several targets in turn (A B A B …), so that a disturbance hits them alike.</summary>
internal sealed class Measurement(string path, int promptBytes, bool streams, int rate = 0, string model = "bench")
{
    private readonly Dictionary<string, List<LoadResult>> _results = new(StringComparer.Ordinal);

    /// <summary>Conversations to go on with, one after the other; 0 is a question without one.</summary>
    internal int Threads { get; init; }

    internal static (int Rounds, double Seconds, double Warm) Plan(Arguments arguments) => arguments.Flag("quick")
        ? (1, 2, 5)
        : (arguments.Number("rounds", 3), arguments.Number("seconds", 4), arguments.Number("warm", 45));

    internal async Task PlayAsync(Arguments arguments, params Target[] targets)
    {
        var (rounds, seconds, warm) = Plan(arguments);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var target in targets)
            {
                var options = new LoadOptions(new(target.BaseUrl, path), target.Key, target.ModelPrefix + model, promptBytes, streams)
                {
                    Rate = rate,
                    Threads = Threads,
                    Seconds = seconds,
                    WarmSeconds = round == 0 ? warm : Math.Min(warm, 1),
                    Processes = target.Processes,
                };
                Of(target).Add(await Rig.PlayAsync(options));
            }
        }
    }

    internal double Median(Target target, Func<LoadResult, double> figure) => Of(target).Select(figure).Median();

    /// <summary>Milliseconds that the target takes longer than the other.</summary>
    internal Figure Added(string name, Target direct, Target target, Func<LoadResult, double> figure, double? bound = null) =>
        new(name, (Median(target, figure) - Median(direct, figure)) / 1000, "ms", bound);

    private List<LoadResult> Of(Target target) =>
        _results.TryGetValue(target.Name, out var list) ? list : _results[target.Name] = [];
}
