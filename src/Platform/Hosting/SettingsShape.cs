using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Stoa.Platform.Hosting;

/// <summary>What a settings class looks like from outside: which keys exist and what text each accepts.</summary>
internal static class SettingsShape
{
    public static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite && property.GetIndexParameters().Length == 0);

    /// <summary>A class of settings, as opposed to one value.</summary>
    public static bool IsGroup(Type type) => !IsScalar(type) && type != typeof(object) && ItemOf(type) is null;

    public static bool Knows(SettingsSection section, string key)
    {
        if (key.Equals(section.Path, StringComparison.OrdinalIgnoreCase)
            || section.Path.StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        return key.StartsWith($"{section.Path}:", StringComparison.OrdinalIgnoreCase)
            && TypeAt(section.Type, key[(section.Path.Length + 1)..]) is not null;
    }

    /// <summary>The type that a key below <paramref name="type"/> is bound to, or null when there is none.</summary>
    public static Type? TypeAt(Type type, string key)
    {
        var current = type;
        foreach (var part in key.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (current == typeof(object))
            {
                return current;
            }
            current = IsScalar(current)
                ? null
                : ItemOf(current) ?? PropertiesOf(current)
                    .FirstOrDefault(property => NameOf(property).Equals(part, StringComparison.OrdinalIgnoreCase))?.PropertyType;
            if (current is null)
            {
                return null;
            }
            current = Nullable.GetUnderlyingType(current) ?? current;
        }
        return current;
    }

    /// <summary>What a text must be to become a <paramref name="type"/>, or null when it does.</summary>
    public static string? RuleBroken(Type type, string value)
    {
        if (ItemOf(type) is { } item)
        {
            return item == typeof(byte) ? null : "must be a list or a table: write one setting per entry (…__0, …__1)";
        }
        if (!IsScalar(type))
        {
            return type == typeof(object) ? null : "must be a group of settings, not one value";
        }
        try
        {
            _ = TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value);
            return null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException
            || e.InnerException is FormatException or OverflowException)
        {
            return $"must be {Wanted(type)}";
        }
    }

    public static string Nearest(SettingsSection[] sections, string key)
    {
        var names = sections.SelectMany(section => PropertiesOf(section.Type).Select(property => $"{section.Path}:{NameOf(property)}"));
        var best = names.MinBy(name => Distance(name, key));
        return best is not null && Distance(best, key) <= 3 ? $"; did you mean {best}?" : "";
    }

    private static string NameOf(PropertyInfo property) =>
        property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? property.Name;

    private static bool IsScalar(Type type) =>
        type == typeof(string) || TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type).CanConvertFrom(typeof(string));

    /// <summary>What a list, an array or a table holds.</summary>
    private static Type? ItemOf(Type type)
    {
        if (type == typeof(string))
        {
            return null;
        }
        if (type.IsArray)
        {
            return type.GetElementType();
        }
        var generic = type.GetInterfaces().Append(type).Where(one => one.IsGenericType).ToArray();
        return generic.FirstOrDefault(one => one.GetGenericTypeDefinition() == typeof(IDictionary<,>))?.GetGenericArguments()[1]
            ?? generic.FirstOrDefault(one => one.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0];
    }

    private static string Wanted(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        { IsEnum: true } wanted => $"one of {string.Join(", ", Enum.GetNames(wanted)).ToLowerInvariant()}",
        var wanted when wanted == typeof(bool) => "true or false",
        var wanted when wanted == typeof(TimeSpan) => "a duration such as 00:00:30",
        var wanted when wanted == typeof(Uri) => "an address",
        var wanted when wanted == typeof(Guid) => "a UUID",
        var wanted when wanted == typeof(int) || wanted == typeof(long) => "a whole number",
        var wanted when wanted == typeof(double) || wanted == typeof(decimal) => "a number",
        var wanted => $"a {wanted.Name}",
    };

    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            (var diagonal, row[0]) = (row[0], i);
            for (var j = 1; j <= right.Length; j++)
            {
                var substitution = diagonal + (char.ToUpperInvariant(left[i - 1]) == char.ToUpperInvariant(right[j - 1]) ? 0 : 1);
                (diagonal, row[j]) = (row[j], Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1));
            }
        }
        return row[^1];
    }
}
