using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Hosting;

/// <summary>Every setting as it holds now, defaults included.</summary>
public static class EffectiveSettings
{
    private const string Masked = "********";
    private static readonly string[] Common = ["urls", "ConnectionStrings:Stoa"];

    public static IEnumerable<(string Key, string Value, string Source)> List(IServiceProvider services)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var own = services.GetServices<SettingsSection>().SelectMany(section => Of(section.Path, section.Value(services)));
        var common = Common.Select(key => (key, configuration[key]));
        return from setting in own.Concat(common)
               let source = SettingSource.Of(configuration, setting.Item1)
               orderby setting.Item1
               select (setting.Item1, Show(setting.Item1, setting.Item2), source);
    }

    private static IEnumerable<(string, string?)> Of(string path, object? value) => value switch
    {
        null => [(path, null)],
        IDictionary table => table.Keys.Cast<object>().SelectMany(key => Of($"{path}:{key}", table[key])),
        IEnumerable list and not string => list.Cast<object?>().SelectMany((item, index) => Of($"{path}:{index}", item)),
        _ when SettingsShape.IsGroup(value.GetType()) => SettingsShape.PropertiesOf(value.GetType())
            .SelectMany(property => Of($"{path}:{property.Name}", property.GetValue(value))),
        _ => [(path, Convert.ToString(value, CultureInfo.InvariantCulture))],
    };

    private static string Show(string key, string? value) =>
        string.IsNullOrEmpty(value) ? "(none)" : SettingSource.IsSecret(key) || HoldsPassword(value) ? Masked : value;

    /// <summary><c>amqp://user:password@host</c>.</summary>
    private static bool HoldsPassword(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address.UserInfo.Contains(':', StringComparison.Ordinal);
}
