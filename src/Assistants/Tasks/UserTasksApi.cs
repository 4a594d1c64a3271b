using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Tasks;

/// <summary>What the assistant can do for a user.</summary>
internal static class UserTasksApi
{
    public static void MapUserTasks(this IEndpointRouteBuilder surface) => surface.MapGet("/user_task", GetAsync).RequireMojodexUser()
        .Produces<UserTaskList>().WithTags("user").WithSummary("List the user's tasks, or read one");

    internal static async Task<IResult> GetAsync(Query<Wanted> query, MojodexCaller caller, UserTaskStore tasks, CancellationToken ct)
    {
        var wanted = query.Value;
        var found = await tasks.ListAsync(caller.UserId!, wanted, ct);
        return wanted.Id is null ? TypedResults.Ok(new UserTaskList(found))
            : found is [var one] ? TypedResults.Ok(one)
            : throw Failure.NotFound("user_task");
    }

    internal sealed record UserTaskList(IReadOnlyList<UserTask> UserTasks);

    internal sealed record UserTask(
        int UserTaskPk, int TaskPk, string TaskName, string TaskDescription,
        string TaskIcon, string TaskType, IReadOnlyList<TaskStep> Steps,
        bool Enabled);

    internal sealed record TaskStep(int WorkflowStepPk, string StepNameForUser, string StepDefinitionForUser);

    internal sealed record Wanted(string Platform, int? Id, int Most, int Offset) : IArguments<Wanted>
    {
        public static Wanted Read(Fields fields)
        {
            fields.OptionalText("version");
            return new(
                fields.OptionalText("platform", Fields.ShortText) ?? "webapp", fields.OptionalInteger("user_task_pk"),
                fields.PageSize("n_user_tasks"), fields.Offset());
        }
    }
}
