using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Push;

/// <param name="Key">
/// What is pushed again under the same key takes the place of the first on the device, where that is still shown. Null: it stands for
/// itself.
/// </param>
internal sealed record Notification(string Title, string Body, IReadOnlyDictionary<string, string> Data, string? Key = null);

/// <summary>Tells a user's devices something, by FCM's HTTP v1.</summary>
internal sealed class Pusher(AssistantsDb db, IHttpClientFactory clients, AccessTokens tokens, IOptions<PushOptions> options)
{
    public const string Client = "assistants.push";

    public bool IsConfigured => options.Value.IsConfigured;

    public Task<bool> HasDeviceAsync(string userId, CancellationToken ct) =>
        db.Devices.AnyAsync(device => device.UserId == userId && device.IsValid, ct);

    /// <summary>True when at least one device took it. A device that is gone is not asked again.</summary>
    /// <exception cref="HttpRequestException">None took it, and one of them may later.</exception>
    public async Task<bool> PushAsync(string userId, Notification notification, CancellationToken ct)
    {
        if (!IsConfigured)
        {
            return false;
        }
        var devices = await db.Devices.AsNoTracking().Where(device => device.UserId == userId && device.IsValid)
            .OrderByDescending(device => device.Id).Take(DeviceStore.MostPerUser).ToListAsync(ct);
        if (devices.Count == 0)
        {
            return false;
        }
        var outcomes = new List<PushOutcome>(devices.Count);
        foreach (var device in devices)
        {
            outcomes.Add(await SendAsync(device.FcmToken, notification, ct));
        }
        var gone = devices.Where((_, index) => outcomes[index] == PushOutcome.Gone).Select(device => device.Id).ToArray();
        if (gone.Length > 0)
        {
            await db.Devices.Where(device => gone.Contains(device.Id))
                .ExecuteUpdateAsync(set => set.SetProperty(device => device.IsValid, false), ct);
        }
        return outcomes.Contains(PushOutcome.Taken) || (outcomes.Contains(PushOutcome.Later)
            ? throw new HttpRequestException("The push service took the notification for none of the devices")
            : false);
    }

    private async Task<PushOutcome> SendAsync(string device, Notification notification, CancellationToken ct)
    {
        var token = await tokens.GetAsync(ct);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"{options.Value.Url.TrimEnd('/')}/v1/projects/{options.Value.ProjectId}/messages:send")
        {
            Content = JsonContent.Create(BodyOf(device, notification), PushJson.Default.JsonObject),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var http = clients.CreateClient(Client);
        try
        {
            using var answer = await http.SendAsync(request.MayRepeat(), ct);
            if (answer.StatusCode == HttpStatusCode.Unauthorized)
            {
                tokens.Forget(token);
            }
            return answer.IsSuccessStatusCode ? PushOutcome.Taken
                : answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest
                && IsGone(await answer.Content.ReadAsStringAsync(ct)) ? PushOutcome.Gone
                : PushOutcome.Later;
        }
        catch (Exception problem) when (problem is HttpRequestException or Failure)
        {
            return PushOutcome.Later;
        }
    }

    internal static JsonObject BodyOf(string device, Notification notification)
    {
        var data = new JsonObject();
        foreach (var (name, value) in notification.Data)
        {
            data[name] = value;
        }
        var message = new JsonObject
        {
            ["token"] = device,
            ["notification"] = new JsonObject { ["title"] = notification.Title, ["body"] = notification.Body },
            ["data"] = data,
        };
        if (notification.Key is { } key)
        {
            var tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32];
            message["android"] = new JsonObject { ["notification"] = new JsonObject { ["tag"] = tag } };
            message["apns"] = new JsonObject { ["headers"] = new JsonObject { ["apns-collapse-id"] = tag } };
            message["webpush"] = new JsonObject { ["headers"] = new JsonObject { ["Topic"] = tag } };
        }
        return new() { ["message"] = message };
    }

    /// <summary>
    /// 404 <c>UNREGISTERED</c>: the application is gone from the device. 400 <c>INVALID_ARGUMENT</c> is said of a token that is none, but
    /// also of a message that is wrong, which is no fault of the device: there the field tells.
    /// </summary>
    internal static bool IsGone(string answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            if (!document.RootElement.TryGetProperty("error", out var error) || error.ValueKind != JsonValueKind.Object)
            {
                return false;
            }
            var code = Text(error, "status");
            var (names, fields) = (new List<string?> { code }, new List<string?>());
            foreach (var detail in Items(error, "details"))
            {
                names.Add(Text(detail, "errorCode"));
                fields.AddRange(Items(detail, "fieldViolations").Select(violation => Text(violation, "field")));
            }
            return names.Contains("UNREGISTERED", StringComparer.Ordinal)
                || (names.Contains("INVALID_ARGUMENT", StringComparer.Ordinal) && fields.TrueForAll(field => field == "message.token"));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object)
            : [];

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private enum PushOutcome
    {
        Taken,
        Gone,
        Later,
    }
}

internal sealed record AccessToken(
    [property: JsonPropertyName("access_token")] string? Token, [property: JsonPropertyName("expires_in")] int ExpiresIn);

[JsonSerializable(typeof(AccessToken))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class PushJson : JsonSerializerContext;
