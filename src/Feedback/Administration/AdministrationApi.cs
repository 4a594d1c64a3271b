using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Administration;

/// <summary>What those do who look after users and messages.</summary>
internal static class AdministrationApi
{
    private const int MostFlags = 1_000;

    public static void MapAdministration(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/admin").WithTags("admin");
        admin.MapGet("/backend_settings/full", (BackendSettings settings) => TypedResults.Ok(settings.Full())).RequireTrustedClient()
            .WithSummary("All settings, without secrets");
        admin.MapGet("/backend_settings/public", (BackendSettings settings) => TypedResults.Ok(settings.Public())).RequireApiClient()
            .WithSummary("The settings that clients need");
        admin.MapPost("/purge_user/{user_id}", PurgeUserAsync).TakesQuery(Purge)
            .RequireTrustedClient().WithSummary("Take out everything that a user did");
        admin.MapPost("/purge_user/{user_id}/messages", PurgeMessagesAsync).TakesQuery(PurgeMessages)
            .RequireTrustedClient().WithSummary("Take out a user's messages");
        admin.MapGet("/flagged_messages", FlaggedAsync).TakesQuery(Most)
            .RequireTrustedClient().WithSummary("List flagged messages, newest first");
        admin.MapGet("/flagged_messages/cursor", FlaggedPageAsync).TakesQuery(Page)
            .RequireTrustedClient().WithSummary("Page through flagged messages");
        admin.MapPost("/flagged_messages/{message_id}/processed", ProcessAsync)
            .RequireTrustedClient().WithSummary("Say that a flag was looked at");
        admin.MapPost("/merge_users", MergeAsync).TakesBody(MergeUsersRequest.Read)
            .RequireTrustedClient().WithSummary("Make one user of several");
    }

    internal static async Task<Ok<PurgeResultModel>> PurgeUserAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request, ApiClient client, PurgeUser purge, CancellationToken ct)
    {
        var id = WireQuery.PathId(userId, "user_id");
        var (preview, ban) = WireQuery.Read(request, Purge);
        return TypedResults.Ok(await purge.UserAsync(client, id, ban, preview, ct));
    }

    internal static async Task<Ok<PurgeResultModel>> PurgeMessagesAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request, ApiClient client, PurgeUser purge, CancellationToken ct)
    {
        var id = WireQuery.PathId(userId, "user_id");
        var (messages, preview) = WireQuery.Read(request, PurgeMessages);
        return TypedResults.Ok(await purge.MessagesAsync(client, id, messages, preview, ct));
    }

    internal static async Task<Ok<IReadOnlyList<FlaggedMessageResponse>>> FlaggedAsync(
        HttpRequest request, FlaggedMessages flags, CancellationToken ct) =>
        TypedResults.Ok(await flags.ListAsync(WireQuery.Read(request, Most), ct));

    internal static async Task<Ok<PageResult<FlaggedMessageResponse>>> FlaggedPageAsync(
        HttpRequest request, FlaggedMessages flags, CancellationToken ct)
    {
        var (before, after, most, descending) = WireQuery.Read(request, Page);
        return TypedResults.Ok(await flags.PageAsync(new(Cursor.Parse(before), Cursor.Parse(after), most, descending), ct));
    }

    internal static async Task<Ok<FlaggedMessageResponse>> ProcessAsync(
        [FromRoute(Name = "message_id")] string messageId, FlaggedMessages flags, CancellationToken ct) =>
        TypedResults.Ok(await flags.ProcessAsync(WireQuery.PathId(messageId, "message_id"), ct)
            ?? throw FeedbackCode.MessageNotFound.Refusal("No flag of this message"));

    internal static async Task<NoContent> MergeAsync(HttpContext context, MergeUsers merge, CancellationToken ct)
    {
        var users = await WireBody.ReadAsync(context, MergeUsersRequest.Read);
        await merge.RunAsync(users.DestinationUserId, users.SourceUserIds, ct);
        return TypedResults.NoContent();
    }

    private static (bool IsPreview, bool Bans) Purge(WireQuery query) =>
        (query.Flag("preview", otherwise: true), query.Flag("ban", otherwise: true));

    private static (PurgedMessages Messages, bool IsPreview) PurgeMessages(WireQuery query) => (
        new(query.Flag("purge_initial_prompts", otherwise: false), query.Instant("min_date"), query.Instant("max_date")),
        query.Flag("preview", otherwise: true));

    private static int Most(WireQuery query) => query.RequiredInteger("max_count", least: 1, most: MostFlags);

    private static (string? Before, string? After, int Most, bool IsDescending) Page(WireQuery query) => (
        query.Text("before"), query.Text("after"),
        query.Integer("max_count", 10, least: 1, most: MostFlags), query.Flag("desc", otherwise: false));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TreeManagerOptions))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AdministrationJson : JsonSerializerContext;
