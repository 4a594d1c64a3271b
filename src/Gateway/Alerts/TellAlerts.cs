using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Alerts;

/// <summary>Alerts about one run. What they say stands in the run's row.</summary>
internal sealed record TellAlerts(Guid RunId, DateTimeOffset CreatedAt, Guid OrganizationId, string OrgId, bool IsEmbed, IReadOnlyList<string> Types)
{
    public const string Kind = "gateway.tell_alerts";
}

/// <summary>Decides at the end of a run, without asking the database, which kinds of alerts somebody wants to hear of it.</summary>
internal sealed class AlertJobs(JobQueue jobs, AlertRules rules) : IRunFollower
{
    public IEnumerable<NewJob> Follow(Run run, RunResult result)
    {
        if (run.Plan.AgentId is not { } agentId || run.Request.TestCaseId is not null)
        {
            return [];
        }
        // Who has not been asked yet is asked by the job itself.
        var known = rules.Known(run.Request.OrganizationId);
        string[] types = [.. TypesOf(run, result).Where(type => known is null || known.Any(rule => rule.IsAbout(type, agentId)))];
        return types.Length == 0 ? []
            : [jobs.Make(
                new TellAlerts(run.Id, run.LoggedAt, run.Request.OrganizationId, run.Request.Caller.OrgId, run.Request.Caller.IsEmbed, types),
                new() { Owner = new(run.Request.OrganizationId) })];
    }

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

internal sealed class TellAlertsHandler(GatewayDb db, AlertSender alerts) : IJobHandler<TellAlerts>
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
        var about = new AlertAgent(row.AgentId, name ?? "", job.OrgId, row.Document.Text("user_id"), job.IsEmbed, job.IsEmbed ? row.Document.Text("user_id") : null);
        foreach (var type in job.Types)
        {
            await alerts.SendAsync(job.OrganizationId, EventOf(type, about, row), ct);
        }
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
