using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Usage;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Alerts;

/// <summary>Alerts about one run. What they say stands in the run's row.</summary>
internal sealed record TellAlerts(
    Guid RunId, DateTimeOffset CreatedAt, Guid OrganizationId, string OrgId, bool IsEmbed, IReadOnlyList<string> Types)
{
    public const string Kind = "gateway.tell_alerts";
}

/// <summary>Decides at the end of a run, without asking the database, which kinds of alerts somebody wants to hear of it.</summary>
internal sealed class AlertJobs(JobQueue jobs, AlertRules rules) : IRunFollower
{
    private static readonly TimeSpan UsageArrives = TimeSpan.FromSeconds(2);

    public IEnumerable<NewJob> Follow(Run run, RunResult result)
    {
        if (run.Plan.AgentId is not { } agentId || run.Request.TestCaseId is not null)
        {
            return [];
        }
        // Who has not been asked yet is asked by the job itself.
        var known = rules.Known(run.Request.OrganizationId);
        if (known is { Count: 0 })
        {
            return [];
        }
        string[] types = [.. TypesOf(run, result).Where(IsWanted)];
        return [
            .. types.Length == 0 ? (IEnumerable<NewJob>)[] : [JobOf(run, types, run.LoggedAt)],
            // The total is that of the usage, which has to arrive first.
            .. run.Usage.Total > 0 && IsWanted(AlertEvent.LimitType)
            ? (IEnumerable<NewJob>)[JobOf(run, [AlertEvent.LimitType], run.LoggedAt + UsageArrives)] : []];

        bool IsWanted(string type) => known is null || known.Any(rule => rule.IsAbout(type, agentId));
    }

    private NewJob JobOf(Run run, string[] types, DateTimeOffset at) => jobs.Make(
        new TellAlerts(run.Id, run.LoggedAt, run.Request.OrganizationId, run.Request.Caller.OrgId, run.Request.Caller.IsEmbed, types),
        new() { Owner = new(run.Request.OrganizationId), RunAt = at });

    private static IEnumerable<string> TypesOf(Run run, RunResult result)
    {
        if (result.Failure is not null)
        {
            yield return AlertEvent.ErrorType;
        }
        if (run.MissingVariables.Count > 0)
        {
            yield return AlertEvent.VariableType;
        }
        if (run.IsFallback)
        {
            yield return AlertEvent.RetryType;
        }
        if (result.IsSuccess)
        {
            yield return AlertEvent.AnswerType;
        }
    }
}

internal sealed class TellAlertsHandler(GatewayDb db, AlertSender alerts, UsageQueries usage) : IJobHandler<TellAlerts>
{
    public async Task RunAsync(TellAlerts job, JobContext context, CancellationToken ct)
    {
        var row = await db.Runs.AsNoTracking().FirstOrDefaultAsync(
            run => run.Id == job.RunId && run.CreatedAt == job.CreatedAt && run.OrganizationId == job.OrganizationId, ct);
        if (row is null)
        {
            return;
        }
        var name = await db.Agents.Where(agent => agent.Id == row.AgentId && agent.OrganizationId == job.OrganizationId)
            .Select(agent => agent.Name).FirstOrDefaultAsync(ct);
        var about = new AlertAgent(row.AgentId, name ?? "", job.OrgId, row.Document.Text("user_id"),
            job.IsEmbed, job.IsEmbed ? row.Document.Text("user_id") : null);
        foreach (var type in job.Types)
        {
            await alerts.SendAsync(
                job.OrganizationId, type == AlertEvent.LimitType ? await TotalOfAsync(about, row, ct) : EventOf(type, about, row), ct);
        }
    }

    /// <summary>The tokens of the agent's calendar month; an alert whose limit they have passed is told once in it.</summary>
    private async Task<AlertEvent> TotalOfAsync(AlertAgent about, AgentRun row, CancellationToken ct)
    {
        var month = new DateTimeOffset(row.CreatedAt.Year, row.CreatedAt.Month, 1, 0, 0, 0, TimeSpan.Zero);
        var sums = await usage.SumAsync(new(row.OrganizationId, month, month.AddMonths(1), AgentId: row.AgentId), [], limit: 1, ct);
        return AlertEvent.TotalGrew(
            about, $"{row.AgentId}-tokens-{month:yyyy-MM}", before: 0, sums.Sum(sum => sum.InputTokens + sum.OutputTokens));
    }

    private static AlertEvent EventOf(string type, AlertAgent about, AgentRun row)
    {
        var what = type switch
        {
            AlertEvent.ErrorType => AlertEvent.Error(about, row.MessageId, row.Error ?? ""),
            AlertEvent.VariableType => AlertEvent.VariablesMissing(about, row.MessageId, row.Document.List("missing_variables").Texts()),
            AlertEvent.RetryType => AlertEvent.RetryStarted(about, row.MessageId, row.Document.Text("firstAttemptError") ?? ""),
            AlertEvent.AnswerType => AlertEvent.Answered(about, row.MessageId, new() { ["data"] = AnswerOf(row) }),
            _ => throw JobFailure.Dead($"There are no alerts of the kind {type}"),
        };
        return what with { Variables = row.Document.Object("variables")?.DeepClone().AsObject() ?? [] };
    }

    private static JsonObject AnswerOf(AgentRun row) => new()
    {
        ["content"] = row.Answer,
        ["role"] = "assistant",
        ["model"] = row.Model,
        ["finish_reason"] = row.FinishReason,
        ["message_id"] = row.MessageId,
        ["thread_id"] = row.ThreadId,
        ["sub_thread_id"] = row.SubThreadId,
    };
}
