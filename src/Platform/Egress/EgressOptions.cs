using System.Globalization;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Egress;

/// <summary>Section <c>Egress</c>: where requests to addresses that users gave may go.</summary>
public sealed class EgressOptions
{
    /// <summary>
    /// Hosts and networks that are allowed although they are not public, separated by commas, each with an optional port (none: any
    /// port): <c>intranet.example:9000, 10.1.0.0/16, 127.0.0.1, [::1]:8080</c>.
    /// </summary>
    public string Allow { get; set; } = "";

    /// <summary>Ports that may be asked on public hosts.</summary>
    public string Ports { get; set; } = "80,443,8080,8443";
}

internal sealed class EgressOptionsValidator : IValidateOptions<EgressOptions>
{
    public ValidateOptionsResult Validate(string? name, EgressOptions options)
    {
        foreach (var entry in Split(options.Allow))
        {
            if (AllowedPlace.Parse(entry) is null)
            {
                return ValidateOptionsResult.Fail($"Allow must list hosts, addresses or networks with an optional port; '{entry}' is none");
            }
        }
        return Split(options.Ports).All(IsPort)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("Ports must list port numbers between 1 and 65535");
    }

    private static bool IsPort(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;

    internal static string[] Split(string list) =>
        list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
