using System.Globalization;
using System.Text.Json.Serialization;
using Npgsql;
using Stoa.Learning.Cohorts;
using Stoa.Platform.Jobs;
using Stoa.Platform.Notifications;

namespace Stoa.Learning.Notifications;

internal enum SchoolEvent
{
    UserCreated,
    SchoolCreated,
    AdminAdded,
    MemberAdded,
    CourseCreated,
}

/// <summary>Something that the operators are told by Slack. Only ids: names and addresses are read when it is told.</summary>
internal sealed record TellSlack(
    SchoolEvent Event, int? UserId = null, int? OrgId = null, int? CohortId = null, int? CourseId = null, CohortRole? Role = null)
{
    public const string Kind = "learning.tell_slack";

    public static readonly JobRules Rules = new() { Priority = JobPriority.Low, MaxAge = TimeSpan.FromDays(2) };

    [JsonIgnore]
    public SlackChannel Channel => Event == SchoolEvent.CourseCreated ? SlackChannel.CourseCreated : SlackChannel.UserSignup;

    /// <summary>By a sign-in or an invitation.</summary>
    public static TellSlack UserCreated(int userId) => new(SchoolEvent.UserCreated, userId);

    public static TellSlack SchoolCreated(int orgId, int creatorId) => new(SchoolEvent.SchoolCreated, creatorId, orgId);

    public static TellSlack AdminAdded(int userId, int orgId) => new(SchoolEvent.AdminAdded, userId, orgId);

    public static TellSlack MemberAdded(int userId, int cohortId, CohortRole role) =>
        new(SchoolEvent.MemberAdded, userId, CohortId: cohortId, Role: role);

    /// <summary>Also of a copy.</summary>
    public static TellSlack CourseCreated(int courseId) => new(SchoolEvent.CourseCreated, CourseId: courseId);
}

/// <summary>Makes the jobs in the transaction of their cause, where somebody listens.</summary>
internal sealed class SchoolNews(Slack slack)
{
    public async Task TellAsync(LearningDb db, IEnumerable<TellSlack> news, CancellationToken ct)
    {
        foreach (var one in news.Where(one => slack.Has(one.Channel)))
        {
            db.Enqueue(one);
        }
        await db.SaveChangesAsync(ct);
    }
}

/// <summary>The words are those of the original, to the byte: people's scripts read them.</summary>
internal sealed class TellSlackHandler(NpgsqlDataSource source, Slack slack) : IJobHandler<TellSlack>
{
    private const string Names = """
        select u.email, o.slug, o.name, o.id, co.name, c.name
        from (select 1) as one
        left join learning.users u on u.id = $1
        left join learning.cohorts co on co.id = $3
        left join learning.courses c on c.id = $4
        left join learning.organizations o on o.id = coalesce($2, co.org_id, c.org_id)
        """;

    public async Task RunAsync(TellSlack job, JobContext context, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Names);
        foreach (var id in (int?[])[job.UserId, job.OrgId, job.CohortId, job.CourseId])
        {
            command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = id });
        }
        string text;
        await using (var row = await command.ExecuteReaderAsync(ct))
        {
            await row.ReadAsync(ct);
            text = TextOf(job, index => row.IsDBNull(index) ? "" : Slack.Plain(row.GetValue(index).ToString() ?? ""));
        }
        await slack.PostAsync(job.Channel, text, ct);
    }

    private static string TextOf(TellSlack job, Func<int, string> value)
    {
        var (email, school, cohort, course) = (value(0), $"School: {value(1)} (SchoolId: {value(3)})", value(4), value(5));
        FormattableString text = job.Event switch
        {
            SchoolEvent.UserCreated => $"User created: {email} UserId: {job.UserId}",
            SchoolEvent.SchoolCreated =>
                $"New school created: {value(2)} (SchoolId: {job.OrgId})\nCreated by: {email} (UserId: {job.UserId})",
            SchoolEvent.AdminAdded => $"User added as admin: {email} UserId: {job.UserId}\n{school}",
            SchoolEvent.MemberAdded =>
                $"{job.Role} added to cohort: {email} UserId: {job.UserId}\n{school}\nCohort: {cohort} (CohortId: {job.CohortId})",
            SchoolEvent.CourseCreated => $"New course created: {course} (CourseId: {job.CourseId})\n{school}",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TellSlack))]
[JsonSerializable(typeof(TellUsage))]
internal sealed partial class SchoolNewsJson : JsonSerializerContext;
