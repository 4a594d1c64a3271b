using System.Text.Json.Nodes;
using Stoa.Gateway.Alerts;

namespace Stoa.Gateway.Runs;

/// <summary>Tells an organization's alerts how a run went. Who has none for it costs nothing.</summary>
internal sealed class RunAlerts(AlertSender alerts)
{
    public async ValueTask TellAsync(Run run, RunResult result, CancellationToken ct)
    {
        if (run.Plan.Agent is not { } configuration || run.Request.TestCaseId is not null)
        {
            return;
        }
        var caller = run.Request.Caller;
        var agent = new AlertAgent(configuration.AgentId, configuration.Name, caller.OrgId, caller.UserId, caller.IsEmbed, caller.IsEmbed ? caller.UserId : null);
        foreach (var what in EventsOf(run, result, agent))
        {
            await alerts.SendAsync(run.Request.OrganizationId, what with { Variables = run.Variables?.All ?? [] }, ct);
        }
    }

    private static IEnumerable<AlertEvent> EventsOf(Run run, RunResult result, AlertAgent agent)
    {
        var messageId = run.Request.MessageId;
        if (result.Failure is { } failure)
        {
            yield return AlertEvent.Error(agent, messageId, result.Response.Text("error") ?? failure.Message);
        }
        else if (result.IsSuccess && string.IsNullOrWhiteSpace(run.Content))
        {
            yield return AlertEvent.Error(agent, messageId, "The answer is empty");
        }
        if (run.FirstAttemptError.Length > 0)
        {
            yield return AlertEvent.RetryStarted(agent, messageId, run.FirstAttemptError);
        }
        if (run.Variables?.MissingRequired is { Count: > 0 } missing)
        {
            yield return AlertEvent.VariablesMissing(agent, messageId, missing);
        }
        if (result.IsSuccess && result.Response.Object("response") is { } response)
        {
            yield return AlertEvent.Answered(agent, messageId, (JsonObject)response.DeepClone());
        }
    }
}
