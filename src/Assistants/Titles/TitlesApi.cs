using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Titles;

internal static class TitlesApi
{
    public static void MapTitles(this IEndpointRouteBuilder routes) => routes.MapPost("/user_task_execution_summary", SaveAsync)
        .WithTags("Callbacks").WithSummary("Write an execution's title and summary").RequireMojodexService(MojodexService.Background)
        .WithMetadata(WireTexts.Callback);

    internal static async Task<Ok<Success>> SaveAsync(Body<TitleBody> body, ExecutionTitles titles, CancellationToken ct) =>
        await titles.SaveAsync(body.Value.ExecutionId, body.Value.Made, lastMessageId: null, ct)
            ? TypedResults.Ok(Success.Instance)
            : throw Failure.Invalid($"Invalid user_task_execution_pk: {body.Value.ExecutionId}", "user_task_execution_pk");

    internal sealed record TitleBody(TitleAndSummary Made, int ExecutionId) : IArguments<TitleBody>
    {
        public static TitleBody Read(Fields fields) =>
            new(new(fields.Text("title"), fields.Text("summary")), fields.Integer("user_task_execution_pk"));
    }
}
