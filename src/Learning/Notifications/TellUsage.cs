using Npgsql;
using Stoa.Gateway;
using Stoa.Learning.Tutor;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Notifications;

namespace Stoa.Learning.Notifications;

/// <summary>Section <c>Learning:Notifications</c>: when the day's figures are told, and when its traces are kept.</summary>
internal sealed class SchoolNewsOptions
{
    public const string Section = "Learning:Notifications";

    public CalendarTime UsageAt { get; set; } = new() { Cron = "0 9 * * *", Zone = "Asia/Kolkata" };

    public CalendarTime TracesAt { get; set; } = new() { Cron = "0 10 * * *", Zone = "Asia/Kolkata" };

    /// <summary>Whether traces are kept at all; absent: in Production only.</summary>
    public bool? KeepTraces { get; set; }
}

/// <summary>Tells how much schools have said and which models have answered.</summary>
internal sealed record TellUsage
{
    public const string Kind = "learning.tell_usage";
}

internal sealed class TellUsageHandler(NpgsqlDataSource source, IModelUsage models, Slack slack, TimeProvider time) : IJobHandler<TellUsage>
{
    // Questions and assignments alike; what was deleted does not count.
    private const string Messages = """
        select o.id, o.name, o.organization_id, count(*) filter (where c.created_at >= $1), count(*) filter (where c.created_at >= $2),
          count(*) filter (where c.created_at >= $3)
        from learning.chat_history c
        left join learning.questions q on q.id = c.question_id
        join learning.tasks t on t.id = coalesce(q.task_id, c.task_id)
        join learning.organizations o on o.id = t.org_id and o.deleted_at is null
        where c.role = 'user' and c.deleted_at is null and c.created_at >= least($1, $2, $3) and c.created_at < $4
        group by o.id
        """;

    public async Task RunAsync(TellUsage job, JobContext context, CancellationToken ct)
    {
        if (!slack.Has(SlackChannel.UsageStats))
        {
            return;
        }
        var now = time.GetUtcNow();
        DateTimeOffset[] since =
            [now.AddDays(-1), new(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero), new(now.Year, 1, 1, 0, 0, 0, TimeSpan.Zero)];
        var schools = await SchoolsAsync(since, now, ct);
        var metered = schools.Where(school => school.OrganizationId is not null)
            .ToLookup(school => school.OrganizationId!.Value, school => school.Name);
        List<UsagePeriod> periods = [];
        foreach (var (index, title) in ((string[])["⚡ Last 24 Hours", "📈 This Month", "📊 This Year"]).Index())
        {
            var used = await models.SumAsync([.. metered.Select(group => group.Key)], TutorAnswers.AnyPurpose, since[index], now, ct);
            periods.Add(new(
                title,
                [.. schools.Select(school => (school.Name, school.Messages[index]))
                    .Where(line => line.Item2 > 0).OrderByDescending(line => line.Item2)],
                [.. used.Select(use => ($"{string.Join(", ", metered[use.OrganizationId])}: {use.Model}", use.Calls))]));
        }
        await slack.PostAsync(SlackChannel.UsageStats, UsageText.Of(periods), ct);
    }

    private async Task<List<School>> SchoolsAsync(DateTimeOffset[] since, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Messages);
        foreach (var instant in (DateTimeOffset[])[.. since, now])
        {
            command.Parameters.Add(new() { Value = instant });
        }
        List<School> schools = [];
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            schools.Add(new(row.GetString(1), row.GuidOrNull(2), [row.GetInt64(3), row.GetInt64(4), row.GetInt64(5)]));
        }
        return schools;
    }

    private sealed record School(string Name, Guid? OrganizationId, long[] Messages);
}
