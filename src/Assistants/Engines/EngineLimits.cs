using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Engines;

/// <summary>How often, and how many at a time, jobs may ask a model.</summary>
internal sealed class EngineLimit
{
    public const string Any = "*";

    /// <summary>As the jobs name it; <c>*</c>: each one that no other entry names.</summary>
    public string Model { get; set; } = Any;

    /// <summary>In the cluster, as a bucket that fills up evenly; 0: no limit.</summary>
    public int CallsPerMinute { get; set; }

    /// <summary>In the cluster; 0: no limit.</summary>
    public int CallsAtOnce { get; set; }
}

/// <summary>
/// Has jobs wait for a model that is asked too much already: they are put back, hold no worker and lose no attempt. Bulk jobs leave a
/// quarter of what there is to those that somebody waits for. Without settings nothing is counted, and the database is not asked.
/// </summary>
internal sealed class EngineLimits(IOptions<AssistantsOptions> options)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <param name="context">Null: somebody waits for the answer at the other end of a request.</param>
    /// <param name="goesOn">The run has asked before and would have to ask again if it came back later: it asks in any case, and others
    /// wait.</param>
    public async Task<T> AskAsync<T>(string model, JobContext? context, bool goesOn, Func<Task<T>> ask, CancellationToken ct)
    {
        if (context is null || Of(model) is not { } limit)
        {
            return await ask();
        }
        var name = $"engine {model}";
        var isPlaced = limit.CallsAtOnce > 0 && !goesOn;
        if (isPlaced)
        {
            await context.TakePlaceAsync(name, limit.CallsAtOnce, Spare(limit.CallsAtOnce, context), ct);
        }
        try
        {
            if (limit.CallsPerMinute > 0)
            {
                await (goesOn
                    ? context.OwePermitAsync(name, limit.CallsPerMinute, Minute, ct)
                    : context.TakePermitAsync(name, limit.CallsPerMinute, Minute, Spare(limit.CallsPerMinute, context), ct));
            }
            return await ask();
        }
        finally
        {
            if (isPlaced)
            {
                // Also of a run that was told to stop.
                await context.LeavePlaceAsync(name, CancellationToken.None);
            }
        }
    }

    private EngineLimit? Of(string model) =>
        options.Value.EngineLimits.Find(limit => limit.Model == model)
            ?? options.Value.EngineLimits.Find(limit => limit.Model == EngineLimit.Any);

    private static int Spare(int all, JobContext context) => context.Priority == JobPriority.Bulk ? all / 4 : 0;
}
