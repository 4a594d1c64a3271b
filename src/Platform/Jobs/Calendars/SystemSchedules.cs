using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>What the platform itself runs by the calendar.</summary>
internal static class SystemSchedules
{
    private const string Forget = "platform.forget_finished_jobs";

    public static IServiceCollection AddSystemSchedules(this IServiceCollection services)
    {
        services.AddJob<ForgetFinishedJobs, ForgetFinishedJobsHandler>(
            Forget, SystemJson.Default.ForgetFinishedJobs, new() { Priority = JobPriority.Low, LateAfter = TimeSpan.FromDays(3) });
        return services.AddSchedule(Forget, new ForgetFinishedJobs(), "20 3 * * *");
    }
}

/// <summary>Finished jobs are kept for <see cref="JobOptions.KeepMonths"/> besides the current month.</summary>
internal sealed record ForgetFinishedJobs;

internal sealed class ForgetFinishedJobsHandler(NpgsqlDataSource source, IOptions<JobOptions> options, TimeProvider time)
    : IJobHandler<ForgetFinishedJobs>
{
    public async Task RunAsync(ForgetFinishedJobs job, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var oldest = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(-options.Value.KeepMonths);
        await using var connection = await source.OpenConnectionAsync(ct);
        await MonthlyPartitions.DropBeforeAsync(connection, "platform.finished_jobs", oldest, ct);
        // What no month covered when it finished.
        await using var rest = new NpgsqlCommand("delete from platform.finished_jobs_other where finished_at < $1", connection)
        {
            Parameters = { new() { Value = oldest } },
        };
        await rest.ExecuteNonQueryAsync(ct);
    }
}

[JsonSerializable(typeof(ForgetFinishedJobs))]
internal sealed partial class SystemJson : JsonSerializerContext;
