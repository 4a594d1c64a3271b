using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>What people are asked to do, and their answers.</summary>
internal static class TasksApi
{
    public static void MapTasks(this IEndpointRouteBuilder routes)
    {
        var tasks = routes.MapGroup("/tasks").WithTags("tasks").RequireApiClient();
        tasks.MapPost("/", RequestAsync).WithSummary("Something for a user to do").TakesBody(TaskRequest.Read);
        tasks.MapPost("/availability", AvailabilityAsync).WithSummary("How many tasks of each type there are for a user")
            .TakesQuery(Lang).MayTakeBody(User.Read);
        tasks.MapPost("/{task_id}/ack", AcknowledgeAsync).WithSummary("The task was shown").TakesBody(TaskAck.Read);
        tasks.MapPost("/{task_id}/nack", SkipAsync).WithSummary("The task is not wanted").TakesBody(TaskNAck.Read);
        tasks.MapPost("/interaction", AnswerAsync).WithSummary("An answer to a task").TakesBody(Interaction.Shapes).Produces<TaskDone>();
        tasks.MapPost("/close", CloseAsync).WithSummary("A collective task takes no more answers").TakesBody(TaskClose.Read)
            .Produces<TaskDone>();
    }

    internal static async Task<IResult> RequestAsync(
        HttpContext context, ApiClient client, TaskLimits limits, TaskStore tasks, CancellationToken ct)
    {
        using var document = await WireBody.ParseAsync(context);
        // Also what is refused for something else counts.
        var (user, type) = Named(context.Request, document);
        limits.Count(client.Id, user, type);
        var task = await tasks.RequestAsync(client, WireBody.Read(document, TaskRequest.Read), ct);
        return Results.Json(task, task.GetType(), FeedbackJson.Default);
    }

    internal static async Task<Ok<Dictionary<string, int>>> AvailabilityAsync(
        HttpContext context, ApiClient client, TaskStore tasks, CancellationToken ct)
    {
        var lang = WireQuery.Read(context.Request, Lang);
        return TypedResults.Ok(await tasks.AvailableAsync(client, await WireBody.ReadOptionalAsync(context, User.Read), lang, ct));
    }

    internal static async Task<NoContent> AcknowledgeAsync(
        [FromRoute(Name = "task_id")] string taskId, HttpContext context, ApiClient client,
        Acting acting, Acknowledgements acknowledgements, CancellationToken ct)
    {
        var id = WireQuery.PathId(taskId, "task_id");
        var request = await WireBody.ReadAsync(context, TaskAck.Read);
        await acknowledgements.AddAsync(client, id, request.MessageId, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> SkipAsync(
        [FromRoute(Name = "task_id")] string taskId, HttpContext context,
        ApiClient client, Acting acting, TaskStore tasks, CancellationToken ct)
    {
        var id = WireQuery.PathId(taskId, "task_id");
        var request = await WireBody.ReadAsync(context, TaskNAck.Read);
        await tasks.SkipAsync(client, acting.User, id, request.Reason, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<IResult> AnswerAsync(
        HttpContext context, ApiClient client, Interactions interactions, CancellationToken ct) =>
        Results.Json(await interactions.AnswerAsync(client, await Interaction.ReadAsync(context), ct), FeedbackJson.Default.TaskDone);

    internal static async Task<IResult> CloseAsync(
        HttpContext context, ApiClient client, TaskStore tasks, TimeProvider time, CancellationToken ct)
    {
        var request = await WireBody.ReadAsync(context, TaskClose.Read);
        await tasks.CloseAsync(client, request.MessageId, ct);
        return Results.Json(new TaskDone(Guid.CreateVersion7(time.GetUtcNow())), FeedbackJson.Default.TaskDone);
    }

    private static string Lang(WireQuery query) =>
        query.Text("lang", Language.Longest, otherwise: Language.Default) is { Length: > 0 } lang ? lang : Language.Default;

    /// <summary>For whom a request counts, before it is known to be right: the header's user, else the body's.</summary>
    private static (string? User, string? Type) Named(HttpRequest request, JsonDocument? document)
    {
        if (document is not { RootElement: { ValueKind: JsonValueKind.Object } body })
        {
            return (null, null);
        }
        var type = Text(body, "type");
        if (StorableJson.Member(body, "user") is not { ValueKind: JsonValueKind.Object } user || Text(user, "id") is not { Length: > 0 } id)
        {
            return (null, type);
        }
        return (request.Headers[ActingUser.HeaderName] is [{ Length: > 0 } header] ? header : $"{Text(user, "auth_method")}:{id}", type);
    }

    private static string? Text(JsonElement element, string name) =>
        StorableJson.Member(element, name) is { ValueKind: JsonValueKind.String } value ? StorableJson.TextOf(value) : null;
}
