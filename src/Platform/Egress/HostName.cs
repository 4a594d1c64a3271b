using System.Globalization;
using System.Net;
using System.Text;

namespace Stoa.Platform.Egress;

/// <summary>One spelling for every way to write a host, so that what is judged is what is asked.</summary>
internal static class HostName
{
    private const int MaxLength = 253;
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>Lower-case ASCII name, dotted IPv4 or bare IPv6; null for what is no host.</summary>
    public static string? Normalize(string host)
    {
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        if (host.Contains(':', StringComparison.Ordinal))
        {
            // A zone (fe80::1%eth0) names an interface of this machine; nobody outside has business with it.
            return !host.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(host, out var six) ? six.ToString() : null;
        }
        var name = ToAscii(host);
        if (name is null or { Length: 0 or > MaxLength } || !name.All(IsHostCharacter))
        {
            return null;
        }
        var labels = name.Split('.');
        if (labels.Any(label => label.Length is 0 or > 63))
        {
            return null;
        }
        // As browsers do: a host whose last part is a number is an IPv4 address in one of its old spellings, or nothing.
        return IsNumber(labels[^1]) ? ParseOldIPv4(labels)?.ToString() : name;
    }

    private static string? ToAscii(string host)
    {
        try
        {
            var text = host;
            if (!Ascii.IsValid(host))
            {
                // Full-width and other compatibility forms become the plain letters and digits that they stand for.
                text = host.Normalize(NormalizationForm.FormKC).Replace('\u3002', '.');
                text = Ascii.IsValid(text) ? text : Idn.GetAscii(text);
            }
            return text.EndsWith('.') ? text[..^1].ToLowerInvariant() : text.ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool IsHostCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_';

    private static bool IsNumber(string label) =>
        label.All(char.IsAsciiDigit) || (label.StartsWith("0x", StringComparison.Ordinal) && label.Skip(2).All(char.IsAsciiHexDigit));

    private static IPAddress? ParseOldIPv4(string[] labels)
    {
        if (labels.Length > 4)
        {
            return null;
        }
        var address = 0UL;
        for (var i = 0; i < labels.Length; i++)
        {
            // The last part fills what the parts before it left: 127.1 is 127.0.0.1.
            var last = i == labels.Length - 1;
            var bits = last ? 8 * (5 - labels.Length) : 8;
            if (ParsePart(labels[i]) is not { } part || part >> bits != 0)
            {
                return null;
            }
            address = (address << bits) | part;
        }
        return new IPAddress([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address]);
    }

    private static ulong? ParsePart(string label)
    {
        var (digits, radix) = label switch
        {
            ['0', 'x', .. var hex] => (hex, 16),
            ['0', _, ..] => (label[1..], 8),
            _ => (label, 10),
        };
        var value = 0UL;
        foreach (var c in digits)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix || value > uint.MaxValue)
            {
                return null;
            }
            value = (value * (ulong)radix) + (ulong)digit;
        }
        return value;
    }
}
