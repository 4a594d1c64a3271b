using Stoa.Gateway.Usage;
using Stoa.Platform.Data;
using Stoa.Platform.Identity;
using Stoa.Platform.Pages;

namespace Stoa.Gateway.Pages;

/// <summary>One line of the usage table. Input counts the cached tokens too.</summary>
/// <param name="Provider">Empty in sums over several.</param>
internal sealed record UsageLine(
    string Provider, string Model, long Calls, long Failed, long Unpriced, long Input, long Cached, long Output, decimal Cost)
{
    public static UsageLine Of(UsageSum sum) => new(
        sum.Provider ?? "", sum.Model ?? "", sum.Calls, sum.Failed, sum.Unpriced,
        sum.InputTokens, sum.CacheReadTokens + sum.CacheWriteTokens, sum.OutputTokens, sum.Cost);

    public static UsageLine Sum(string name, IReadOnlyCollection<UsageLine> lines) => new(
        "", name, lines.Sum(line => line.Calls), lines.Sum(line => line.Failed), lines.Sum(line => line.Unpriced),
        lines.Sum(line => line.Input), lines.Sum(line => line.Cached), lines.Sum(line => line.Output), lines.Sum(line => line.Cost));
}

/// <summary>Usage by model, the dearest first. The total is the sum of the lines: what does not fit is one line too.</summary>
internal sealed record UsageReport(IReadOnlyList<UsageLine> Rows, UsageLine Total)
{
    private const int LongestTable = 50;
    private const int MostModels = 100_000;

    /// <summary>Digits after the point that show every cost as it is kept, so that the lines add up to the total on paper too.</summary>
    public int CostDigits => Rows.Append(Total).Max(line => PageText.Digits(line.Cost));

    public static UsageReport Of(IEnumerable<UsageLine> models)
    {
        var lines = models
            .OrderByDescending(line => line.Cost).ThenByDescending(line => line.Calls)
            .ThenBy(line => line.Provider, StringComparer.Ordinal).ThenBy(line => line.Model, StringComparer.Ordinal)
            .ToList();
        var rows = lines.Count <= LongestTable
            ? lines
            : [.. lines[..LongestTable], UsageLine.Sum($"{PageText.Number(lines.Count - LongestTable)} more", lines[LongestTable..])];
        return new(rows, UsageLine.Sum("Total", rows));
    }

    /// <summary>Null when the database is away or takes longer than a reader waits.</summary>
    public static async Task<UsageReport?> ReadAsync(
        UsageQueries queries, Caller caller, DateTimeOffset since, TimeSpan patience, TimeProvider time, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        var filter = new UsageFilter(caller.OrganizationId, since, To: null, caller.Key is { IsAdmin: false } key ? key.Id : null);
        try
        {
            var sums = await queries.SumAsync(filter, ["provider", "model"], MostModels, either.Token);
            return Of(sums.Select(UsageLine.Of));
        }
        catch (Exception error) when (Outage.Is(error) || (error is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }
}
