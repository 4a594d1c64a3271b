using System.Text.Json.Serialization;
using Stoa.Feedback.Users;

namespace Stoa.Feedback.Wire;

/// <summary>A person as the calling program knows him.</summary>
/// <param name="Id">His name at the provider where he signed in.</param>
internal sealed record User(string Id, string DisplayName, string AuthMethod)
{
    public static readonly string[] AuthMethods = ["discord", "google", "local", "system"];

    private const int LongestName = 128, LongestDisplayName = 256;

    public static User Read(WireBody body) => new(
        body.Text("id", LongestName), body.Text("display_name", LongestDisplayName), body.Choice("auth_method", AuthMethods));

    /// <summary>The member <c>user</c>, which must be there.</summary>
    public static User ReadMember(WireBody body) => body.Object("user") is { } user ? Read(user) : new("", "", "");

    public static User? ReadOptionalMember(WireBody body) => body.OptionalObject("user") is { } user ? Read(user) : null;
}

internal sealed record FrontEndUser(
    string Id, string DisplayName, string AuthMethod, Guid UserId, bool Enabled, bool Deleted, string Notes,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? CreatedDate, bool ShowOnLeaderboard, int? StreakDays,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? StreakLastDayDate,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? LastActivityDate,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? TosAcceptanceDate)
{
    public static FrontEndUser Of(FeedbackUser user) => new(
        user.Username, user.DisplayName, user.AuthMethod, user.Id, user.Enabled, user.Deleted, user.Notes, user.CreatedDate,
        user.ShowOnLeaderboard, user.StreakDays, user.StreakLastDayDate, user.LastActivityDate, user.TosAcceptanceDate);
}

/// <summary>One page of a list. Cursors are <c>id$key</c>.</summary>
internal sealed record PageResult<T>(string? Prev, string? Next, string SortKey, IReadOnlyList<T> Items, string Order);
