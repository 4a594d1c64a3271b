using System.Globalization;

namespace Stoa.Platform.Pages;

/// <summary>Values as people read them, the same in every country.</summary>
public static class PageText
{
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Count(long number, string noun) => $"{Number(number)} {noun}{(number == 1 ? "" : "s")}";

    /// <summary>With a fixed number of digits, so that a column of them stands in line.</summary>
    public static string Dollars(decimal amount, int digits) =>
        amount.ToString($"$#,##0.{new string('0', digits)}", CultureInfo.InvariantCulture);

    /// <summary>How many digits after the point it takes to write all of an amount; cents at least.</summary>
    public static int Digits(decimal amount) => amount.ToString("0.00########", CultureInfo.InvariantCulture).Split('.')[1].Length;

    /// <summary>At a glance: cents, or for less than a dollar the first digits that say something.</summary>
    public static string Dollars(decimal amount)
    {
        var form = Math.Abs(amount) switch { 0 or >= 1 => "$#,##0.00", >= 0.01m => "$0.00##", _ => "$0.00########" };
        return amount.ToString(form, CultureInfo.InvariantCulture);
    }

    public static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan time) => time switch
    {
        { TotalMinutes: < 1 } => Count((long)time.TotalSeconds, "second"),
        { TotalHours: < 1 } => Count((long)time.TotalMinutes, "minute"),
        { TotalDays: < 1 } => $"{Count((long)time.TotalHours, "hour")} {Count(time.Minutes, "minute")}",
        _ => $"{Count((long)time.TotalDays, "day")} {Count(time.Hours, "hour")}",
    };

    public static string Name(ProcessRole role) => role switch
    {
        ProcessRole.All => "all: API and worker",
        ProcessRole.Api => "API",
        ProcessRole.Worker => "worker",
    };

    /// <summary>Scheme, host, port and path: an address may hold a name and a password, or a key in its query.</summary>
    public static string Address(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var uri)
        ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/')
        : "";
}
