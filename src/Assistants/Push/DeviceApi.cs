using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Push;

/// <summary>A device that a user's notifications go to.</summary>
internal sealed class DeviceRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public required string FcmToken { get; init; }

    /// <summary>False once the push service said that it is gone.</summary>
    public bool IsValid { get; init; } = true;

    public required DateTimeOffset CreatedAt { get; init; }
}

internal sealed class DeviceStore(AssistantsDb db, TimeProvider time)
{
    /// <summary>The newest; older ones are told nothing.</summary>
    public const int MostPerUser = 20;

    private const int MostKept = 100;

    /// <summary>
    /// A token is one installation of an application: whoever signed in there last gets its notifications. Null when there is no such user.
    /// </summary>
    public async Task<int?> KeepAsync(string userId, string token, CancellationToken ct)
    {
        var kept = await db.Database.SqlQuery<int>($"""
            insert into assistants.devices (user_id, fcm_token, created_at)
            select id, {token}, {time.GetUtcNow()} from assistants.users where id = {userId}
            on conflict (fcm_token) do update set user_id = excluded.user_id, is_valid = true
            returning id as "Value"
            """).ToListAsync(ct);
        // Applications get new tokens again and again; those of devices that are no more go with the oldest.
        await db.Database.ExecuteSqlAsync($"""
            delete from assistants.devices where id in (
              select id from assistants.devices where user_id = {userId} order by id desc offset {MostKept}
            )
            """, ct);
        return kept is [var id] ? id : null;
    }
}

/// <summary><c>PUT /device</c>: notifications go to this device from now on.</summary>
internal static class DeviceApi
{
    public static void MapDevices(this IEndpointRouteBuilder routes) =>
        routes.MapPut("/device", KeepAsync).RequireMojodexUser()
            .WithTags("Notifications").WithSummary("Have notifications sent to a device");

    internal static async Task<Ok<DeviceAnswer>> KeepAsync(
        MojodexCaller caller, Body<DeviceFields> body, DeviceStore devices, CancellationToken ct)
    {
        var token = body.Value.FcmToken;
        if (token.Length == 0 || token.Any(letter => letter is <= ' ' or > '~'))
        {
            throw Failure.Invalid("Invalid field 'fcm_token'", "fcm_token");
        }
        return TypedResults.Ok(new DeviceAnswer(await devices.KeepAsync(caller.UserId!, token, ct) ?? throw Failure.NotFound("User")));
    }

    internal sealed record DeviceFields(string FcmToken) : IArguments<DeviceFields>
    {
        private const int LongestToken = 2_000;

        public static DeviceFields Read(Fields fields) => new(fields.Text("fcm_token", LongestToken));
    }

    internal sealed record DeviceAnswer([property: JsonPropertyName("device_pk")] int DevicePk);
}
