using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Learning.Notifications;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Traces;

/// <summary>
/// Keeps what happened on a day in the storage: the calls of models as a table, the conversations as JSON. A day is kept once.
/// </summary>
/// <param name="Day">By the schedule's zone; absent: the day before.</param>
internal sealed record SaveTraces(DateOnly? Day = null)
{
    public const string Kind = "learning.save_traces";

    /// <summary>The archive is read and written as a whole.</summary>
    public static readonly JobRules Rules = new() { Priority = JobPriority.Low, MaxRunning = 1, Timeout = TimeSpan.FromHours(2) };
}

internal sealed class SaveTracesHandler(
    LearningDb db, SpanTable spans, Conversations conversations, ConversationArchive archive, IOptions<SchoolNewsOptions> options,
    IHostEnvironment environment, TimeProvider time) : IJobHandler<SaveTraces>
{
    public async Task RunAsync(SaveTraces job, JobContext context, CancellationToken ct)
    {
        if (!(options.Value.KeepTraces ?? environment.IsProduction()))
        {
            return;
        }
        var zone = TimeZoneInfo.FindSystemTimeZoneById(options.Value.TracesAt.Zone);
        var day = job.Day ?? DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), zone).DateTime).AddDays(-1);
        var (from, to) = (StartOf(day, zone), StartOf(day.AddDays(1), zone));
        var metered = await db.Organizations.Select(school => school.OrganizationId).Distinct().ToListAsync(ct);
        await spans.SaveAsync(day, metered, from, to, ct);
        await archive.ReplaceAsync(day, conversations.ReadAsync(day, from, to, ct), ct);
    }

    private static DateTimeOffset StartOf(DateOnly day, TimeZoneInfo zone)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        return new(midnight, zone.GetUtcOffset(midnight));
    }
}
