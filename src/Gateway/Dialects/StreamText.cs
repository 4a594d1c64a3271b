using System.Text;
using System.Text.Json;

namespace Stoa.Gateway.Dialects;

/// <summary>
/// Text that arrives in fragments. A provider that cuts by UTF-16 units may put the halves of a surrogate pair into two events; the
/// first half is held until the second is there.
/// </summary>
internal struct StreamText
{
    private char held;

    /// <summary>What of the text so far can be passed on as whole characters.</summary>
    public string Take(string fragment)
    {
        if (fragment.Length == 0 || (held == 0 && !char.IsHighSurrogate(fragment[^1])))
        {
            return fragment;
        }
        var text = held == 0 ? fragment : held + fragment;
        held = char.IsHighSurrogate(text[^1]) ? text[^1] : '\0';
        return held == 0 ? text : text[..^1];
    }

    /// <summary>The string under the reader, with halves of pairs and bad bytes kept or replaced instead of refused.</summary>
    public static string Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Rare enough that the exception does not matter.
            return Unescape(Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    private static string Unescape(string raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            i++;
            if (raw[i] == 'u')
            {
                text.Append((char)Convert.ToUInt16(raw.Substring(i + 1, 4), 16));
                i += 4;
                continue;
            }
            text.Append(raw[i] switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\b',
                'f' => '\f',
                var other => other,
            });
        }
        return text.ToString();
    }
}
