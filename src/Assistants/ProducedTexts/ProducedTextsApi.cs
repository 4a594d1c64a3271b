using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.ProducedTexts;

/// <summary>What was written for users.</summary>
internal static class ProducedTextsApi
{
    public static void MapProducedTexts(this IEndpointRouteBuilder surface)
    {
        surface.MapGet("/produced_text", GetAsync).RequireMojodexUser().Produces<ProducedTextList>().WithTags("user")
            .WithSummary("List produced texts, or read one");
        surface.MapPost("/produced_text", SaveAsync).RequireMojodexUserOrService(MojodexService.Background).WithTags("user")
            .WithSummary("Save a version of a produced text");
        surface.MapDelete("/produced_text", DeleteAsync).RequireMojodexUser().WithTags("user").WithSummary("Delete a produced text");
        surface.MapGet("/retrieve_produced_text", RetrieveAsync).RequireMojodexService(MojodexService.Background).WithTags("callback")
            .WithMetadata(WireTexts.Callback).WithSummary("Search the produced texts of a user");
    }

    internal static async Task<IResult> GetAsync(
        Query<Wanted> query, MojodexCaller caller, UserStore users, ProducedTextStore texts, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw UserStore.Gone();
        var found = await texts.ListAsync(user, query.Value, ct);
        return query.Value.Id is null ? TypedResults.Ok(new ProducedTextList(found))
            : found is [var one] ? TypedResults.Ok(one)
            : throw Failure.NotFound("Produced text");
    }

    internal static async Task<Ok<SavedVersion>> SaveAsync(
        Body<NewVersion> body, MojodexCaller caller, UserStore users, ProducedTextStore texts, AssistantsDb db, CancellationToken ct)
    {
        var terms = body.Value;
        var user = caller.UserId is { } own ? await users.FindAsync(own, ct) ?? throw UserStore.Gone()
            : terms.UserId is null ? throw Failure.Invalid(WireTexts.Callback.Missing("user_id"), "user_id")
            : await users.FindAsync(terms.UserId, ct) ?? throw Failure.NotFound("User");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var saved = await texts.SaveAsync(user, terms, ct);
        await transaction.CommitAsync(ct);
        return TypedResults.Ok(saved);
    }

    internal static async Task<Ok<DeletedText>> DeleteAsync(
        Query<WantedText> query, MojodexCaller caller, ProducedTextStore texts, CancellationToken ct) =>
        await texts.DeleteAsync(caller.UserId!, query.Value.Id, ct)
            ? TypedResults.Ok(new DeletedText(query.Value.Id)) : throw Failure.NotFound("Produced text");

    internal static async Task<Ok<RetrievedTexts>> RetrieveAsync(Query<Search> query, ProducedTextSearch texts, CancellationToken ct) =>
        TypedResults.Ok(new RetrievedTexts(await texts.FindAsync(query.Value, ct)));

    internal sealed record ProducedTextList(IReadOnlyList<ProducedTextView> ProducedTexts);

    internal sealed record ProducedTextView(
        int ProducedTextPk, int? UserTaskExecutionFk, string UserId, string Production,
        string? Title, DateTimeOffset CreationDate, string? TextType);

    internal sealed record SavedVersion(int ProducedTextPk, int ProducedTextVersionPk);

    internal sealed record DeletedText(int ProducedTextPk);

    internal sealed record RetrievedTexts(IReadOnlyList<RetrievedText> RetrievedProducedTexts);

    internal sealed record RetrievedText(
        int UserTaskExecutionPk, string? ProducedTextTitle, string ProducedText, string TaskName, string? TaskIcon);

    internal sealed record Wanted(int? Id, int Most, int Offset) : IArguments<Wanted>
    {
        public static Wanted Read(Fields fields) =>
            new(fields.OptionalInteger("produced_text_pk"), fields.PageSize("n_produced_texts"), fields.Offset());
    }

    internal sealed record NewVersion(
        string Production, string? Title, int? ProducedTextId, int? ExecutionId, string? SessionId, string? UserId) : IArguments<NewVersion>
    {
        public static NewVersion Read(Fields fields) => new(
            fields.Text("production", Fields.LongText), fields.OptionalText("title", 1_000), fields.OptionalInteger("produced_text_pk"),
            fields.OptionalInteger("user_task_execution_pk"), fields.OptionalText("session_id", Fields.ShortText),
            fields.OptionalText("user_id", Fields.ShortText));
    }

    internal sealed record WantedText(int Id) : IArguments<WantedText>
    {
        public static WantedText Read(Fields fields) => new(fields.Integer("produced_text_pk"));
    }

    /// <param name="MaxDistance">Cosine distance; what is farther away is not found by it.</param>
    internal sealed record Search(string Text, int Most, double MaxDistance, string UserId, int ExecutionId, string TaskName)
        : IArguments<Search>
    {
        public static Search Read(Fields fields)
        {
            var text = fields.Text("query", 10_000);
            _ = fields.Integer("n_max");
            return new(
                text, fields.PageSize("n_max"), fields.Number("max_distance"), fields.Text("user_id", Fields.ShortText),
                fields.Integer("user_task_execution_pk"), fields.Text("task_name_for_system", 1_000));
        }
    }
}
