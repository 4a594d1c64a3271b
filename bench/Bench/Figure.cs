using System.Text.Json;

namespace Stoa.Bench;

/// <summary>One measured value. A bound is an upper one unless it says otherwise; without it the figure is there to be read.</summary>
internal sealed record Figure(string Name, double Value, string Unit, double? Bound = null, bool IsLeast = false)
{
    internal bool Ok => Bound is null || (IsLeast ? Value >= Bound : Value <= Bound);

    internal string ToJson() => JsonSerializer.Serialize(new
    {
        name = Name,
        value = Math.Round(Value, 4),
        unit = Unit,
        bound = Bound,
        ok = Ok,
    });
}

internal static class Numbers
{
    internal static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
