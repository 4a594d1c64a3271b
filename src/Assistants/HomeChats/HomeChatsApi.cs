using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;

namespace Stoa.Assistants.HomeChats;

internal static class HomeChatsApi
{
    public static void MapHomeChats(this IEndpointRouteBuilder surface)
    {
        var chats = surface.MapGroup("/home_chat").WithTags("scheduler");
        chats.MapPost("", PrepareAsync).RequireMojodexUserOrService(MojodexService.Scheduler)
            .WithSummary("Prepare the week's chats of a page of users, or the caller's next one");
        chats.MapPut("", PrepareAllAsync).RequireMojodexService(MojodexService.Scheduler)
            .WithSummary("Prepare the week's chats of a page of users");
    }

    internal static async Task<Ok<Prepared>> PrepareAsync(
        Body<Page> body, MojodexCaller caller, UserStore users, HomeChatStore chats, CancellationToken ct)
    {
        if (caller.UserId is null)
        {
            return TypedResults.Ok(new Prepared(await chats.PrepareAsync(body.Value.Most, body.Value.Offset, ct)));
        }
        await chats.PrepareAsync(await users.ReadyAsync(caller.UserId, ct), ct);
        return TypedResults.Ok(new Prepared(null));
    }

    internal static async Task<Ok<Prepared>> PrepareAllAsync(Body<WholePage> body, HomeChatStore chats, CancellationToken ct) =>
        TypedResults.Ok(new Prepared(await chats.PrepareAsync(body.Value.Most, body.Value.Offset, ct)));

    internal sealed record Prepared([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? UserIds);

    internal sealed record Page(int Most, int Offset) : IArguments<Page>
    {
        public static Page Read(Fields fields) => new(fields.PageSize("n_users"), fields.Offset());
    }

    /// <summary>The same, where both must be said.</summary>
    internal sealed record WholePage(int Most, int Offset) : IArguments<WholePage>
    {
        public static WholePage Read(Fields fields)
        {
            _ = fields.Integer("n_users");
            _ = fields.Integer("offset");
            return new(fields.PageSize("n_users"), fields.Offset());
        }
    }
}
