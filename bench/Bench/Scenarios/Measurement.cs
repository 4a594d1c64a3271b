using Stoa.Bench.Load;

namespace Stoa.Bench.Scenarios;

/// <summary>One case played against several targets in turn (A B A B …), so that a disturbance hits them alike.</summary>
internal sealed class Measurement(string path, int promptBytes, bool streams, int rate = 0, string model = "bench")
{
    private readonly Dictionary<string, List<LoadResult>> _results = new(StringComparer.Ordinal);

    internal static (int Rounds, double Seconds, double Warm) Plan(Arguments arguments) => arguments.Flag("quick")
        ? (1, 1, 1)
        : (arguments.Number("rounds", 3), arguments.Number("seconds", 4), 12);

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
                    Seconds = seconds,
                    WarmSeconds = round == 0 ? warm : Math.Min(warm, 1),
                    Processes = target.Processes,
                };
                Of(target).Add(await Rig.PlayAsync(options));
            }
        }
    }

    internal double Median(Target target, Func<LoadResult, double> figure) => Of(target).Select(figure).Median();

    private List<LoadResult> Of(Target target) =>
        _results.TryGetValue(target.Name, out var list) ? list : _results[target.Name] = [];
}
