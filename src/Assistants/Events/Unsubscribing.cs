using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Platform;
using Stoa.Platform.Hosting;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Events;

/// <summary>
/// Links by which whoever holds a mail ends mails of its kind, without signing in: signed, for this user and kind alone, valid for ever.
/// </summary>
internal sealed class Unsubscribing(
    AssistantsDb db, IOptions<MojodexAuthOptions> auth, IOptions<StoaOptions> host, Listeners listeners, TimeProvider time)
{
    private static readonly JwtRules Rules = new() { Type = "unsubscribe", NeedsExpiry = false };

    // Not the key of tokens itself: no link can be one, nor one a link.
    private readonly SigningKey[] keys = string.IsNullOrEmpty(auth.Value.TokenSecret)
        ? []
        : [SigningKey.Hmac(SigningAlgorithm.HS256, HMACSHA256.HashData(Encoding.UTF8.GetBytes(auth.Value.TokenSecret), "unsubscribe"u8))];

    /// <summary>Null when mails of this kind cannot be ended, or nothing can be signed.</summary>
    public string? UrlFor(string userId, string eventType)
    {
        if (keys is not [var key] || eventType is not (EventTypes.TodoEmail or EventTypes.ReminderEmail))
        {
            return null;
        }
        var address = (host.Value.PublicUrl ?? (listeners.Public is [var first, ..] ? first : null))?.TrimEnd('/');
        return address is null ? null
            : $"{address}/assistants/unsubscribe?token={Jwt.Create(new() { ["sub"] = userId, ["mail"] = eventType }, key, Rules.Type)}";
    }

    /// <summary>The kind of mail that the link is about; null when it is not one of ours.</summary>
    public (string UserId, string EventType)? Read(string? token) =>
        Jwt.TryRead(token ?? "", keys, Rules, time.GetUtcNow(), out var claims, out _)
        && claims.Text("sub") is { Length: > 0 } user && claims.Text("mail") is EventTypes.TodoEmail or EventTypes.ReminderEmail
            ? (user, claims.Text("mail")!)
            : null;

    public Task<int> EndAsync(string userId, string eventType, CancellationToken ct)
    {
        var user = db.Users.Where(row => row.Id == userId);
        return eventType == EventTypes.TodoEmail
            ? user.ExecuteUpdateAsync(set => set.SetProperty(row => row.ReceivesTodoEmails, false), ct)
            : user.ExecuteUpdateAsync(set => set.SetProperty(row => row.ReceivesReminders, false), ct);
    }
}

/// <summary>
/// A GET only asks, since mail programs and scanners follow links by themselves; a POST ends the mails, from the page's button or from a
/// mail program's own (RFC 8058).
/// </summary>
internal static class UnsubscribeApi
{
    public static void MapUnsubscribe(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/unsubscribe").WithTags("Notifications").AllowAnyone();
        pages.MapGet("", Ask).WithSummary("Ask whether mails of a kind shall end");
        pages.MapPost("", EndAsync).WithSummary("End mails of a kind");
    }

    internal static ContentHttpResult Ask(Unsubscribing links, string? token = null) => links.Read(token) is { } link
        ? Page($"<p>{NameOf(link.EventType)}</p><form method=\"post\"><button>Stop these mails</button></form>", StatusCodes.Status200OK)
        : Page("<p>This link is not valid.</p>", StatusCodes.Status400BadRequest);

    internal static async Task<ContentHttpResult> EndAsync(Unsubscribing links, CancellationToken ct, string? token = null)
    {
        if (links.Read(token) is not { } link)
        {
            return Page("<p>This link is not valid.</p>", StatusCodes.Status400BadRequest);
        }
        await links.EndAsync(link.UserId, link.EventType, ct);
        return Page("<p>You will get no more of these mails.</p>", StatusCodes.Status200OK);
    }

    private static string NameOf(string eventType) => WebUtility.HtmlEncode(
        eventType == EventTypes.TodoEmail ? "The daily mail about your to-dos" : "The mail that reminds you in the evening");

    private static ContentHttpResult Page(string content, int status) => TypedResults.Text(
        $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Mails</title><main><h1>Mails</h1>{content}</main></html>",
        "text/html; charset=utf-8", Encoding.UTF8, status);
}
