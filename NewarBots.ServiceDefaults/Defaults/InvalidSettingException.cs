namespace NewarBots.ServiceDefaults;

/// <summary>A setting prevents the start.</summary>
/// <param name="message">Names the setting, its value and what is allowed.</param>
public sealed class InvalidSettingException(string message) : InvalidOperationException(message);
