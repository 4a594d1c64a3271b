namespace Stoa.Gateway.Providers;

/// <summary>A name for a model that several targets serve: other providers, or the same one with another key.</summary>
internal sealed class ModelAlias
{
    private readonly ModelTarget[] targets;

    /// <summary>Which target is first, call by call: each stands there as often as its weight says, and as evenly as can be.</summary>
    private readonly int[]? turns;

    private uint calls;

    public ModelAlias(string name, bool isWeighted, IReadOnlyList<(ModelTarget Target, int Weight)> targets)
    {
        Name = name;
        this.targets = [.. targets.Select(entry => entry.Target)];
        turns = isWeighted ? TurnsOf([.. targets.Select(entry => entry.Weight)]) : null;
    }

    public string Name { get; }

    public IReadOnlyList<ModelTarget> Targets => targets;

    /// <summary>The targets in the order in which the next call is to try them; those that are known to refuse now come last.</summary>
    public IEnumerable<ModelTarget> Order()
    {
        var first = turns is null ? 0 : turns[(Interlocked.Increment(ref calls) - 1) % (uint)turns.Length];
        var rest = targets.Where((_, index) => index != first);
        return rest.Prepend(targets[first]).OrderBy(target => target.Provider.Client?.IsResting ?? false);
    }

    // In each turn everybody gains his weight; who has most goes first and pays what all have gained.
    private static int[] TurnsOf(int[] weights)
    {
        var total = weights.Sum();
        var gained = new int[weights.Length];
        var turns = new int[total];
        for (var turn = 0; turn < total; turn++)
        {
            for (var index = 0; index < weights.Length; index++)
            {
                gained[index] += weights[index];
            }
            var first = Array.IndexOf(gained, gained.Max());
            gained[first] -= total;
            turns[turn] = first;
        }
        return turns;
    }
}
