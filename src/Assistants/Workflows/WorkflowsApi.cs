using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;

namespace Stoa.Assistants.Workflows;

internal static class WorkflowsApi
{
    public static void MapWorkflows(this IEndpointRouteBuilder surface) =>
        surface.MapPost("/relaunch_locked_workflow_step_executions", RelaunchAsync).RequireMojodexService(MojodexService.Scheduler)
            .WithTags("scheduler").WithSummary("Begin again the steps of workflows that came to no end");

    internal static async Task<Ok<RelaunchedSteps>> RelaunchAsync(
        Body<UsersApi.Nothing> body, WorkflowStore workflows, CancellationToken ct)
    {
        _ = body;
        return TypedResults.Ok(new RelaunchedSteps(await workflows.RelaunchAsync(ct)));
    }

    internal sealed record RelaunchedSteps(
        [property: JsonPropertyName("user_workflow_step_executions_pk")] IReadOnlyList<int> StepExecutions);
}
